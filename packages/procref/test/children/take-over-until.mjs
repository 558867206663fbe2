// Takes the folder argv[2] over into the directory argv[3] with the password in argv[4], and is killed when it has done the step argv[5].
// Not part of the public interface.
import { takeOverFolder } from '../../dist/commands/take-over.js'

const [, , folder, dir, passwordFile, step] = process.argv
await takeOverFolder(
  folder,
  { dir, passwordFile, driver: 'binary' },
  {
    onStep(reached) {
      if (reached === step) process.kill(process.pid, 'SIGKILL')
    },
  },
)
