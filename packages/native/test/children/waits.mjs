// Waits for the lock of its first argument's file, in both ways, and does what its second argument says; see waits.test.ts.
import { native } from '@procref/native'
import { say } from '@procref/testing/child'

const [path, how] = process.argv.slice(2)
const { locks } = native()

// One that is collected itself calls nobody.
let registry

const ACTS = {
  nothing() {
    locks.lockWhenFree(path, { signal: new AbortController().signal })
    locks.watch(path).waitFree()
  },
  exit() {
    ACTS.nothing()
    process.exit(7)
  },
  async abort() {
    const controller = new AbortController()
    const { signal } = controller
    const waits = [locks.lockWhenFree(path, { signal }), locks.watch(path).waitFree({ signal })]
    setImmediate(() => controller.abort(new Error('called off')))
    const ended = await Promise.allSettled(waits)
    say('done', { ended: ended.map(({ reason }) => reason.message) })
  },
  /** Nothing that the program made is referred to any more when it says that it waits. */
  async forget() {
    const keepsAlive = setInterval(() => globalThis.gc(), 10)
    native()
      .locks.lockWhenFree(path, { signal: new AbortController().signal })
      .then(() => say('locked'))
    await collected()
    say('waits')
    process.stdin.on('end', () => clearInterval(keepsAlive)).resume()
  },
}

/** Resolves when the garbage collector has come to what was made before. */
function collected() {
  return new Promise((resolve) => {
    registry = new FinalizationRegistry(resolve)
    registry.register({}, 'collected')
  })
}

await ACTS[how]()
