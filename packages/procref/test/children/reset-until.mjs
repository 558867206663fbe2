// Deletes the data of the directory argv[2], and is killed at the step argv[3].
import { join } from 'node:path'
import { deleteData } from '@procref/lifecycle'
import { resolveBackend } from '../../dist/choose-backend.js'

const [, , dir, step] = process.argv
await deleteData(dir, await resolveBackend(undefined, join(dir, 'slots')), {
  onStep(reached) {
    if (reached === step) process.kill(process.pid, 'SIGKILL')
  },
})
