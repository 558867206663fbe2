// All planted bugs: CI takes every other one of those that take less than a minute to show, and runs some of them without a fault.
process.env.PROCREF_EVERY_PLANTED_BUG = '1'
await import('../chaos/planted/planted.test.ts')
await import('../chaos/planted/installed.test.ts')
