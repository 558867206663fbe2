// All planted bugs: CI leaves out those that take a minute or more to show, and runs some of them without a fault.
process.env.PROCREF_CHAOS_SLOW = '1'
await import('../chaos/planted/planted.test.ts')
await import('../chaos/planted/installed.test.ts')
