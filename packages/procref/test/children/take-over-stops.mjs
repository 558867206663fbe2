// Takes the folder argv[2] over into the directory argv[3] with the password in argv[4]; stands still when it has done the step argv[5], and says so.
import { writeSync } from 'node:fs'
// Not part of the public interface.
import { takeOverFolder } from '../../dist/commands/take-over.js'

const [, , folder, dir, passwordFile, step] = process.argv
await takeOverFolder(
  folder,
  { dir, passwordFile, driver: 'binary' },
  {
    onStep(reached) {
      if (reached !== step) return
      writeSync(1, `${reached}\n`)
      process.kill(process.pid, 'SIGSTOP')
    },
  },
)
