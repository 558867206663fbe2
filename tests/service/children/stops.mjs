// A backend and drivers whose process waits in a step that the test has armed, to be stopped (SIGSTOP) there: see ../stops.ts.
// The guardian rebuilds them by their descriptors, so that it stops in the very step, not somewhere near it.
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { surrealBinary } from '@procref/lifecycle'

const DRIVERS = { binary: surrealBinary, embedded: embeddedSurreal }
const IN_GUARDIAN = process.env.PROCREF_GUARDIAN === '1'

/** A test that is this late has been killed, or its machine has been asleep. */
const ABANDONED_MS = 120_000

/**
 * Waits, if, and only if, `step` is armed, to be stopped by the test; each arming makes one process wait once. Blocks the
 * event loop, so that nothing of the next step is done before.
 */
function stopAt(stops, step) {
  const armed = join(stops, `${step}.armed`)
  let runner
  try {
    runner = Number(readFileSync(armed, 'utf8'))
    unlinkSync(armed)
  } catch (error) {
    if (error.code === 'ENOENT') return
    throw error
  }
  writeFileSync(join(stops, `${step}.pid`), String(process.pid))
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  const abandonedAt = performance.now() + ABANDONED_MS
  while (!existsSync(join(stops, `${step}.go`)) && isThere(runner) && performance.now() < abandonedAt) {
    Atomics.wait(nobody, 0, 0, 20)
  }
}

function isThere(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if (error.code === 'ESRCH') return false
    throw error
  }
}

/** `flock()`, with stops in it. */
export function stoppingBackend({ stops }) {
  const backend = flock()
  const here = (step) => stopAt(stops, step)
  return {
    ...backend,
    descriptor: { module: import.meta.url, factory: 'stoppingBackend', options: { stops } },
    locks: stoppingLocks(backend.locks, here),
    open: async (...args) => stoppingPool(await backend.open(...args), here),
  }
}

function stoppingLocks(locks, here) {
  return {
    tryLock(path) {
      if (path.endsWith('/server.lock')) here('before-server-lock')
      const lock = locks.tryLock(path)
      if (lock === undefined) return lock
      if (path.endsWith('/guardian.lock')) here('elected')
      if (/\/alive-[^/]*\.lock$/.test(path)) here('alive')
      if (path.endsWith('/server.lock')) here('server-lock')
      if (path.endsWith('/start.lock')) here('start-lock')
      return lock
    },
    watch(path) {
      const watch = locks.watch(path)
      if (/\/alive-[^/]*\.lock$/.test(path)) here('looking')
      return watch
    },
  }
}

function stoppingPool(pool, here) {
  return wrap(pool, {
    async claim(...args) {
      const slot = await pool.claim(...args)
      here('claimed')
      return stoppingSlot(slot, here)
    },
    async provenEmpty() {
      here('draining')
      const proven = await pool.provenEmpty()
      here('proven')
      return proven
    },
    async close() {
      if (!IN_GUARDIAN) here('closing')
      await pool.close()
      if (!IN_GUARDIAN) here('closed')
    },
  })
}

function stoppingSlot(slot, here) {
  return wrap(slot, {
    async verify() {
      await slot.verify()
      here('verified')
    },
  })
}

/** The real driver `driver`, with stops in it. */
export function stoppingDriver({ stops, driver, storage }) {
  const real = DRIVERS[driver]({ storage })
  const here = (step) => stopAt(stops, step)
  return wrap(real, {
    descriptor: { module: import.meta.url, factory: 'stoppingDriver', options: { stops, driver, storage } },
    async launch(context) {
      here('launching')
      const spawn = (plan) => {
        const child = context.spawn(plan)
        here('spawned')
        return child
      }
      const server = await real.launch({ ...context, spawn })
      // The engine inside the guardian: launched, and nothing of it is recorded yet.
      if (real.placement === 'guardian') here('spawned')
      return stoppingServer(server, here)
    },
  })
}

function stoppingServer(server, here) {
  return wrap(server, {
    ended: server.ended.then((end) => {
      here('ended')
      return end
    }),
    async ready(options) {
      here('recorded')
      const details = await server.ready(options)
      here('ready')
      return details
    },
    terminate() {
      here('stopping')
      server.terminate()
      here('told')
    },
  })
}

/** `target` with some members replaced; the others keep their `this`, private fields and getters. */
function wrap(target, replaced) {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(replaced, name)) return replaced[name]
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
