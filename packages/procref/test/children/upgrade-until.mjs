// Upgrades the directory argv[2], and is killed when it has done the step argv[3].
// Not part of the public interface.
import { upgradeDirectory } from '../../dist/commands/upgrade.js'

const [, , dir, step] = process.argv
await upgradeDirectory(
  { dir, driver: 'binary', yes: true },
  {
    onStep(reached) {
      if (reached === step) process.kill(process.pid, 'SIGKILL')
    },
  },
)
