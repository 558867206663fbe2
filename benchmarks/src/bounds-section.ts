import { formatDate, formatNumber } from './format.ts'
import { markdownTable } from './markdown-table.ts'
import type { Machine } from './results.ts'

/** A third of it does nothing: the processors are not what it waits for. */
const WAITING = 1 / 3

/** An address: the library has no name for it. */
const UNNAMED = /^(\[[.k]\] )?0x[\da-f]+$/

/** results/bounds.json, made by bounds-profile.ts. Shares are parts of 1. */
export interface Bounds {
  readonly date: string
  readonly machine: Machine
  readonly ends: readonly End[]
}

export interface End {
  readonly title: string
  readonly end: string
  /** Of queries, or of starts. */
  readonly count: number
  readonly seconds: number
  /** Of all processors. */
  readonly idle: number
  /** Of the time in which they are busy. */
  readonly shares: readonly { readonly role: Role; readonly where: string; readonly share: number }[]
  readonly functions: readonly {
    readonly role: Role
    readonly library: string
    readonly symbol: string
    readonly share: number
  }[]
}

export type Role = 'server' | 'guardian' | 'others'

/** What bounds each end of the curves, for docs/benchmarks.md. */
export function boundsSection({ date, machine, ends }: Bounds): string {
  const { cpus, kernel, filesystem, node } = machine
  return [
    '## What bounds the ends of the curves',
    'Where the processors’ time went at both ends of the curves of growing clients and growing databases, seen by `perf record -a` ' +
      `(\`benchmarks/dist/bounds-profile.js\`): ${cpus}, ${kernel}, ${filesystem}, Node ${node}, ${formatDate(date)} UTC. ` +
      'Others are the clients and, at starts, server and guardian, which come and go. Functions without a name, as in stripped libraries, are left out.',
    markdownTable([
      ['', 'end', 'a second', 'idle', 'busy with', 'most in', 'so the bound is'],
      ...ends.map((end) => [
        end.title,
        end.end,
        formatNumber(end.count / end.seconds),
        percent(end.idle),
        end.shares.map(({ role, where, share }) => `${role}: ${nameOf(where)} ${percent(share)}`).join(', '),
        end.functions
          .filter(({ symbol }) => !UNNAMED.test(symbol))
          .map(({ role, symbol, share }) => `${role}: \`${shortened(symbol)}\` ${percent(share)}`)
          .join(', '),
        boundOf(end),
      ]),
    ]),
  ].join('\n\n')
}

function boundOf({ idle, shares }: End): string {
  const of = (role: Role): number =>
    shares.filter((one) => one.role === role).reduce((sum, { share }) => sum + share, 0)
  const most = of('server') + of('guardian') >= of('others') ? 'the server' : 'the others'
  const busiest = `${most} most`
  if (idle >= WAITING)
    return `the way of one request after the other: ${percent(idle)} of the processors wait (busy: ${busiest})`
  return `the processors, busy with ${busiest}`
}

function nameOf(library: string): string {
  return library.replace(/^.*\//, '')
}

function shortened(symbol: string): string {
  const name = symbol.replace(/^\[[.k]\] /, '')
  return name.length > 60 ? `${name.slice(0, 59)}…` : name
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
