// Waits for the slots of a full pool, and does what its third argument says; see table-waits.test.ts.
import { robustMutex, sysv } from '@procref/native'
import { say } from '@procref/testing/child'

const [factory, dir, how] = process.argv.slice(2)
const pool = await { robustMutex, sysv }[factory]().open(dir)
const FOR_EVER_MS = 2 ** 31 - 1

// One that is collected itself calls nobody.
let registry

const ACTS = {
  unused() {
    pool.whenEmpty()
  },
  exit() {
    pool.whenEmpty()
    pool.claim({ timeoutMs: FOR_EVER_MS })
    process.exit(7)
  },
  /** Nothing of the claim is referred to any more when it says that it waits. */
  async forget() {
    const keepsAlive = setInterval(() => globalThis.gc(), 10)
    pool.claim({ timeoutMs: FOR_EVER_MS }).then(() => say('claimed'))
    await new Promise((resolve) => {
      registry = new FinalizationRegistry(resolve)
      registry.register({}, 'collected')
    })
    say('waits')
    process.stdin.on('end', () => clearInterval(keepsAlive)).resume()
  },
}

await ACTS[how]()
