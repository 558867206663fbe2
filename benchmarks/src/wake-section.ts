import { formatDate, formatValue } from './format.ts'
import { markdownTable } from './markdown-table.ts'
import type { Machine, Noise } from './results.ts'

/** results/wake.json, made by wake-profile.ts. In microseconds. */
export interface Wake {
  readonly date: string
  readonly machine: Machine
  readonly priority: Noise['priority']
  readonly waiters: readonly WaiterSteps[]
}

export interface WaiterSteps {
  readonly title: string
  readonly kills: number
  readonly steps: readonly (Times & { readonly step: string })[]
  readonly all: Times
}

export interface Times {
  readonly p50: number
  readonly p99: number
}

/** Where the time from SIGKILL to the next claim goes, for docs/benchmarks.md. */
export function wakeSection({ date, machine, priority, waiters }: Wake): string {
  const { cpus, kernel, node } = machine
  // Whoever has the most steps has those of the others in their order.
  const [longest] = waiters.toSorted((a, b) => b.steps.length - a.steps.length)
  const steps = longest?.steps.map(({ step }) => step) ?? []
  const cell = (times: Times | undefined): readonly string[] =>
    times === undefined ? ['', ''] : [formatValue(times.p50, 'µs'), formatValue(times.p99, 'µs')]
  const row = (what: string, of: (waiter: WaiterSteps) => Times | undefined): readonly string[] => [
    what,
    ...waiters.flatMap((waiter) => cell(of(waiter))),
  ]
  return [
    '## From SIGKILL to the next claim, step by step',
    'A program in C that holds the only slot is killed while another process waits for it in the kernel. The times of the steps are of the kernel’s trace points ' +
      `(\`perf record\`, \`benchmarks/dist/wake-profile.js\`), which cost some time themselves: ${waiters.map(({ title, kills }) => `${kills} kills for ${title}`).join(', ')}; ${cpus}, ${kernel}, Node ${node}, ${priority} priority, ${formatDate(date)} UTC.`,
    markdownTable([
      ['', ...waiters.flatMap(({ title }) => [`${title}: median`, 'p99'])],
      ...steps.map((step) => row(step, (waiter) => waiter.steps.find((one) => one.step === step))),
      row('all', ({ all }) => all),
    ]),
  ].join('\n\n')
}
