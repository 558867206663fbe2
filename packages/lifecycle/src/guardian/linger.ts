import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isSlotsFolder, PIN_FILE } from '@procref/core'

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
    try {
      return newestIn(this.#slots)
    } catch {
      return 0 // Only a courtesy to come-and-go clients; the proof that nobody is left does not rest on it.
    }
  }
}

/** Whatever a backend writes at a claim: slot files, or one file of records. The pin is no sign of a client. */
function newestIn(dir: string): number {
  let newest = 0
  for (const name of readdirSync(dir)) {
    if (name.startsWith(PIN_FILE)) continue
    const path = join(dir, name)
    // Since slots were moved to another protocol, and while that is going on, they are in a folder.
    newest = Math.max(newest, isSlotsFolder(name) ? newestIn(path) : lstatSync(path).mtimeMs)
  }
  return newest
}
