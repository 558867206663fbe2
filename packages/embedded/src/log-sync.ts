import { close, fdatasync, fsync, open, readdir } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** RocksDB's logs: what was committed since it last wrote tables, which it syncs itself. */
const LOG = /^\d+\.log$/

const [openFile, closeFile, syncData, syncAll, namesIn] = [
  promisify(open),
  promisify(close),
  promisify(fdatasync),
  promisify(fsync),
  promisify(readdir),
] as const

/**
 * Syncs the logs of the RocksDB database in `dir` to the disk every `everyMs`, until `stop()`.
 *
 * Not left to the engine, which with a time keeps what is committed in its own memory until it syncs, and never closes its database: even its end in order would lose that. It is told to
 * sync nothing, and then hands each commit to the system at once; the rest is done here.
 *
 * Guarantee: what was committed when a sync began is on the disk when it has ended. Never throws: `log` gets a line, and the next one tries again.
 */
export class LogSync {
  readonly #dir: string
  readonly #everyMs: number
  readonly #log: (line: string) => void
  #known = ''
  #timer: NodeJS.Timeout | undefined
  #syncing: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(dir: string, everyMs: number, log: (line: string) => void) {
    this.#dir = dir
    this.#everyMs = everyMs
    this.#log = log
    this.#later()
  }

  /** Syncs a last time. Caller: nothing is committed any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#syncing
    await this.#sync()
  }

  #later(): void {
    this.#timer = setTimeout(() => {
      this.#syncing = this.#sync().then(() => {
        if (!this.#stopped) this.#later()
      })
    }, this.#everyMs).unref()
  }

  async #sync(): Promise<void> {
    try {
      const names = (await namesIn(this.#dir)).filter((name) => LOG.test(name)).sort()
      for (const name of names) await syncFile(join(this.#dir, name), syncData)
      // A new log is worth nothing without its name.
      if (names.join() !== this.#known) await syncFile(this.#dir, syncAll)
      this.#known = names.join()
    } catch (error) {
      this.#log(`the database was not synced to the disk: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

async function syncFile(path: string, sync: (fd: number) => Promise<void>): Promise<void> {
  let fd: number
  try {
    fd = await openFile(path, 'r')
  } catch (error) {
    // A log whose rows are in tables by now.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    await sync(fd)
  } finally {
    await closeFile(fd)
  }
}
