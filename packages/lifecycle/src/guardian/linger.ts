import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PIN_FILE } from '@procref/core'

/** How long the server stays after its last client: counted from the last sign of one. */
export class Linger {
  readonly #slots: string
  readonly #lingerMs: number
  #from = 0

  constructor(slotsDir: string, lingerMs: number) {
    this.#slots = slotsDir
    this.#lingerMs = lingerMs
  }

  /** Nobody holds a slot any more; returns how long to wait. */
  start(): number {
    this.#from = Date.now()
    return this.#lingerMs
  }

  /** What is left when the wait is over: a client that came and went meanwhile left a newer file. */
  left(): number {
    const newest = this.#newestChange()
    if (newest <= this.#from) return 0
    this.#from = newest
    return Math.min(this.#lingerMs, Math.max(0, newest + this.#lingerMs - Date.now()))
  }

  #newestChange(): number {
    let newest = 0
    try {
      for (const name of readdirSync(this.#slots)) {
        // Whatever a backend writes at a claim: slot files, or one file of records. The pin is no sign of a client.
        if (!name.startsWith(PIN_FILE)) newest = Math.max(newest, lstatSync(join(this.#slots, name)).mtimeMs)
      }
    } catch {
      return 0 // Only a courtesy to come-and-go clients; the proof that nobody is left does not rest on it.
    }
    return newest
  }
}
