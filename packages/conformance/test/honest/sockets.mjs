// Slots without files: slot k is an abstract Unix socket that its holder listens on. The kernel gives it back with the process;
// but a network namespace has its own, and it cannot be handed to a child.
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import {
  checkDirectory,
  PoolClosedError,
  ProcrefError,
  pinProtocol,
  readProtocolPin,
  SlotLostError,
  SlotsExhaustedError,
  secureDirectory,
} from '@procref/core'
import { flockProgram } from './flock-program.mjs'

const NAME = 'sockets'
const POLL_MS = 20
const READ_ONLY = new Set(['ENOENT', 'EACCES', 'EROFS'])

const address = (dir, slot) => `\0procref-sockets:${dir}:${slot}`
const labelPath = (dir, slot) => join(dir, `socket_${slot}.json`)

/** The listening server; `undefined`: somebody else listens. */
function listen(dir, slot) {
  return new Promise((done, failed) => {
    const server = createServer((probe) => probe.destroy())
    server.on('error', (error) => (error.code === 'EADDRINUSE' ? done(undefined) : failed(error)))
    server.listen(address(dir, slot), () => done(server.unref()))
  })
}

/** Does somebody listen? Only a refused connection proves that nobody does. */
function isHeld(dir, slot) {
  return new Promise((done) => {
    const probe = connect(address(dir, slot))
    probe.on('connect', () => done(true))
    probe.on('error', (error) => done(error.code !== 'ECONNREFUSED'))
    probe.on('connect', () => probe.destroy())
  })
}

function delay(ms, signal) {
  return new Promise((done, aborted) => {
    const onAbort = () => {
      clearTimeout(timer)
      aborted(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      done()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

class SocketSlot {
  #lost = new AbortController()
  #closed
  constructor(id, server, forget) {
    this.id = id
    this.server = server
    this.forget = forget
  }
  get lost() {
    return this.#lost.signal
  }
  async verify() {
    if (!this.server.listening) throw new SlotLostError(this.id, undefined, 'it was released')
  }
  release() {
    this.#closed ??= new Promise((done) => {
      this.forget(this)
      this.server.close(() => done())
    })
    return this.#closed
  }
  [Symbol.asyncDispose]() {
    return this.release()
  }
}

class SocketPool {
  backend = NAME
  #slots = new Set()
  #closed = new AbortController()
  #closing
  constructor(dir, size, label) {
    this.dir = dir
    this.size = size
    this.label = label
  }

  async tryClaim() {
    this.#closed.signal.throwIfAborted()
    const start = Math.floor(Math.random() * this.size)
    for (let n = 0; n < this.size; n++) {
      const id = (start + n) % this.size
      const server = await listen(this.dir, id)
      if (server === undefined) continue
      const slot = new SocketSlot(id, server, (gone) => this.#slots.delete(gone))
      this.#slots.add(slot)
      this.#writeLabel(id)
      return slot
    }
    return undefined
  }

  async claim({ signal, timeoutMs = 0 } = {}) {
    if (!(timeoutMs >= 0)) throw new TypeError(`timeoutMs must not be negative: ${timeoutMs}`)
    const either = signal === undefined ? this.#closed.signal : AbortSignal.any([signal, this.#closed.signal])
    const giveUpAt = performance.now() + timeoutMs
    for (;;) {
      either.throwIfAborted()
      const slot = await this.tryClaim()
      if (slot !== undefined && !either.aborted) return slot
      await slot?.release()
      either.throwIfAborted()
      if (performance.now() >= giveUpAt) throw new SlotsExhaustedError(this.dir, this.size, await this.held())
      await delay(POLL_MS, either)
    }
  }

  async held() {
    this.#closed.signal.throwIfAborted()
    const ids = Array.from({ length: this.size }, (_, id) => id)
    const states = await Promise.all(ids.map((id) => isHeld(this.dir, id)))
    return ids.filter((id) => states[id]).map((id) => ({ slot: id, ...this.#readLabel(id) }))
  }

  async count() {
    return (await this.held()).length
  }

  async provenEmpty() {
    return (await this.count()) === 0
  }

  async whenEmpty({ signal } = {}) {
    const either = signal === undefined ? this.#closed.signal : AbortSignal.any([signal, this.#closed.signal])
    either.throwIfAborted()
    while (!(await this.provenEmpty())) await delay(POLL_MS, either)
  }

  close() {
    this.#closing ??= (async () => {
      this.#closed.abort(new PoolClosedError(this.dir))
      for (const slot of [...this.#slots]) await slot.release()
    })()
    return this.#closing
  }

  [Symbol.asyncDispose]() {
    return this.close()
  }

  /** For people only: a directory that cannot be written keeps nobody from a slot. */
  #writeLabel(id) {
    try {
      writeFileSync(labelPath(this.dir, id), JSON.stringify({ pid: process.pid, label: this.label }), { mode: 0o600 })
    } catch (error) {
      if (!READ_ONLY.has(error.code)) throw error
    }
  }

  #readLabel(id) {
    try {
      return JSON.parse(readFileSync(labelPath(this.dir, id), 'utf8'))
    } catch (error) {
      if (error instanceof SyntaxError || READ_ONLY.has(error.code)) return {}
      throw error
    }
  }
}

function withoutDescriptor(locker) {
  return {
    ...locker,
    tryLock(path) {
      const lock = locker.tryLock(path)
      return lock && { ...lock, fd: undefined }
    },
  }
}

export function sockets(changes = {}) {
  return {
    name: NAME,
    guarantees: {
      crashRelease: 'kernel',
      maxRecoveryMs: 1000,
      scope: 'network-namespace',
      inheritableByChild: false,
      interoperatesWithSeed: false,
      platforms: ['linux'],
      ...changes,
    },
    descriptor: { module: import.meta.url, factory: 'sockets', options: changes },
    locks: withoutDescriptor(flockProgram().locks),

    async support(dir) {
      const refused = (reason) => ({ supported: false, reason })
      if (process.platform !== 'linux') return refused('only Linux has abstract sockets')
      try {
        const protocol = readProtocolPin(dir)?.protocol ?? NAME
        if (protocol !== NAME) return refused(`${dir} is used with the lock protocol "${protocol}"`)
        checkDirectory(dir)
        return { supported: true }
      } catch (error) {
        if (error.code === 'PROCREF_NOT_FOUND') return { supported: true }
        if (error instanceof ProcrefError || error.code === 'ERR_INVALID_ARG_VALUE') return refused(error.message)
        throw error
      }
    },

    async open(asked, { slots, label } = {}) {
      const dir = resolve(asked)
      secureDirectory(dir)
      const pin = pinProtocol(dir, { protocol: NAME, ...(slots !== undefined && { slots }) })
      return new SocketPool(dir, pin.slots, label)
    },
  }
}
