// Each step in which a process can be killed or stopped, with each kind of server and storage: CI takes each step with one of them, in turn.
process.env.PROCREF_EVERY_COMBINATION = '1'
await import('../service/guardian-killed.test.ts')
await import('../service/guardian-stopped.test.ts')
await import('../service/client-steps.test.ts')
await import('../service/restart.test.ts')
await import('../service/power-cut.test.ts')
await import('../../packages/procref/test/take-over.test.ts')
