// What lockfile() says in the folder argv[2] where no thread may be started.
import { lockfile } from '@procref/lockfile'
import { say } from '@procref/testing/child'

const [, , dir] = process.argv
const support = await lockfile().support(dir)
let code
try {
  lockfile().locks.tryLock(`${dir}/a.lock`)
} catch (error) {
  code = error.code
}
say('said', { support, code })
