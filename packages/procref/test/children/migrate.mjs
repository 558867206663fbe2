// `procref migrate` that kills itself at its Nth step: `migrate.mjs DIR TO N`. Says each step it has come to.
import { writeSync } from 'node:fs'
// Not part of the public interface.
import { migrateDirectory } from '../../dist/commands/migrate.js'

const [, , dir, to, at] = process.argv
let steps = 0
await migrateDirectory({ dir, to }, (step) => {
  writeSync(1, `${step}\n`)
  if (++steps === Number(at)) process.kill(process.pid, 'SIGKILL')
})
