import { ProcrefError } from '@procref/core'
import { inspect } from '@procref/lifecycle'
import { resolveBackend } from '../backends.ts'
import type { Colors } from '../cli/output.ts'
import { type PlaceOptions, resolvePlace } from '../place.ts'

export interface ServerOptions extends PlaceOptions {
  readonly json?: boolean
}

/** Stable: fields are only added. */
export interface Status {
  readonly dir: string
  readonly state: string
  readonly users: number
  readonly slots: number | null
  readonly server: null | {
    readonly epoch: number
    readonly pid: number | null
    readonly guardianPid: number
    readonly url: string
    readonly driver: string
    readonly version: string | null
    readonly durable: boolean
  }
  /** Why it failed, in the state `failed`. */
  readonly failure: string | null
}

export async function readStatus(options: ServerOptions): Promise<Status> {
  const backend = await resolveBackend(options.backend)
  const { dir, state, record, guardian, holders, slots } = await inspect(resolvePlace(options).root, backend)
  const alive = record !== undefined && guardian !== 'absent'
  return {
    dir,
    state,
    users: holders.length,
    slots: slots ?? null,
    server: alive
      ? {
          epoch: record.epoch,
          pid: record.server?.pid ?? null,
          guardianPid: record.guardian.pid,
          url: `ws://${record.host}:${record.port}/rpc`,
          driver: record.driver.name,
          version: record.version ?? null,
          durable: record.durable,
        }
      : null,
    failure: state === 'failed' ? (record?.failure?.message ?? null) : null,
  }
}

export function viewStatus(status: Status, colors: Colors): string {
  const { server } = status
  const lines = [`${colors.bold(status.state)}  ${status.dir}`]
  if (server !== null) {
    lines.push(`  ${server.url}  epoch ${server.epoch}, ${server.driver} ${server.version ?? ''}`.trimEnd())
    lines.push(`  server pid ${server.pid ?? '?'}, guardian pid ${server.guardianPid}`)
    if (!server.durable) lines.push(colors.yellow('  not durable: what is written is gone when the server stops'))
  }
  lines.push(`  ${status.users} of ${status.slots ?? 0} slots in use`)
  if (status.failure !== null) lines.push(colors.red(`  ${status.failure}`))
  return lines.join('\n')
}

/** No server runs, so it has no URL. */
export class NotRunningError extends ProcrefError {
  constructor(dir: string, state: string) {
    super('PROCREF_NOT_RUNNING', `No server runs in ${dir} (${state}). \`procref run\` or connect() starts it.`)
  }
}

export async function readUrl(options: ServerOptions): Promise<string> {
  const { server, state, dir } = await readStatus(options)
  if (server === null || state !== 'serving') throw new NotRunningError(dir, state)
  return server.url
}
