// Locks the file argv[2] and exits; while its own exit handler runs, another process looks at the lock.
import { spawnSync } from 'node:child_process'
import { lockfile } from '@procref/lockfile'
import { say } from '@procref/testing/child'

const [, , path] = process.argv
const { locks } = lockfile({ leaseMs: 5_000 })
locks.tryLock(path)
const LOOK = `import { lockfile } from '@procref/lockfile'; console.log(lockfile({ leaseMs: 5000 }).locks.watch(process.argv[1]).probe())`
process.on('exit', () => {
  const args = ['--input-type=module', '-e', LOOK, path]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname })
  say('exiting', { state: stdout.trim() })
})
process.exit()
