import { existsSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { quantileSorted } from 'simple-statistics'
import type { Noise } from './results.ts'

/** Some milliseconds: long enough that a timer interrupt is no outlier, short enough to be taken often. */
const ROUNDS = 2_000_000

/** Watches how even the machine's pace is while others measure. */
export class NoiseMeter {
  readonly #loadBefore = loadavg()[0] ?? 0
  readonly #stealBefore = stolen()
  readonly #times: number[] = []

  /** Times the same piece of work once: to be called between measurements, never during one. */
  sample(): void {
    const began = process.hrtime.bigint()
    let mixed = 1
    for (let n = 0; n < ROUNDS; n++) mixed = Math.imul(mixed ^ n, 0x01000193)
    // Used, or a compiler might leave the loop out.
    if (mixed === 0) throw new Error('the product of odd numbers is odd')
    this.#times.push(Number(process.hrtime.bigint() - began))
  }

  end(): Noise {
    this.sample()
    const sorted = this.#times.toSorted((a, b) => a - b)
    const after = stolen()
    const steal =
      this.#stealBefore === undefined || after === undefined
        ? undefined
        : (after.steal - this.#stealBefore.steal) / Math.max(1, after.all - this.#stealBefore.all)
    return {
      loadBefore: this.#loadBefore,
      loadAfter: loadavg()[0] ?? 0,
      ...(steal === undefined ? {} : { steal }),
      spread: quantileSorted(sorted, 0.95) / quantileSorted(sorted, 0.5),
      priority: ownPriority(),
    }
  }
}

/** proc_stat(5): the eighth number of the first line is the time that went to other guests. */
function stolen(): { readonly steal: number; readonly all: number } | undefined {
  if (!existsSync('/proc/stat')) return undefined
  const [first = ''] = readFileSync('/proc/stat', 'latin1').split('\n')
  const ticks = first.split(/ +/).slice(1).map(Number)
  return { steal: ticks[7] ?? 0, all: ticks.slice(0, 8).reduce((sum, value) => sum + value, 0) }
}

/** With which this process, and what it starts, runs. */
export function ownPriority(): 'real-time' | 'normal' {
  if (!existsSync('/proc/self/stat')) return 'normal'
  // proc_pid_stat(5): fields from the third on; the 40th is the real-time priority.
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(fields[37]) > 0 ? 'real-time' : 'normal'
}
