// A backend and drivers that stop their own process (SIGSTOP) in a step that the test has armed: see ../stops.ts.
// The guardian rebuilds them by their descriptors, so that it stops in the very step, not somewhere near it.
import { unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { surrealBinary } from '@procref/lifecycle'

const DRIVERS = { binary: surrealBinary, embedded: embeddedSurreal }
const IN_GUARDIAN = process.env.PROCREF_GUARDIAN === '1'

/** Stops this process if, and only if, `step` is armed; each arming stops one process once. */
function stopAt(stops, step) {
  try {
    unlinkSync(join(stops, `${step}.armed`))
  } catch (error) {
    if (error.code === 'ENOENT') return
    throw error
  }
  writeFileSync(join(stops, `${step}.pid`), String(process.pid))
  process.kill(process.pid, 'SIGSTOP')
  // Another thread may take the signal: not one instruction of the next step may run before all of us stand still.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
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
