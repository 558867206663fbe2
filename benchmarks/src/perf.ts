import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'

/** By then perf(1) records, or has ended because it cannot. */
const BEGINS_MS = 1_000

/** What `act` gives, and meanwhile `perf record` of the whole machine into `file`. Throws what perf says when it cannot. */
export async function perfRecord<T>(file: string, options: readonly string[], act: () => Promise<T>): Promise<T> {
  const args = ['record', '-q', '-a', ...options, '-o', file]
  const perf = spawn('perf', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  perf.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const exited = once(perf, 'exit')
  await Promise.race([after(BEGINS_MS), exited])
  if (perf.exitCode !== null) throw new Error(`perf ended at once: ${said}`)
  try {
    return await act()
  } finally {
    perf.kill('SIGINT')
    await exited
  }
}

/** Prints a profile as JSON; with `--save` it is also written into results/, from which pages.mjs makes its part of docs/benchmarks.md. */
export function printProfile(name: string, profile: object): void {
  const text = `${JSON.stringify(profile, rounded, 2)}\n`
  if (process.argv.includes('--save')) writeFileSync(new URL(`../results/${name}.json`, import.meta.url), text)
  process.stdout.write(text)
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(3)) : value
}
