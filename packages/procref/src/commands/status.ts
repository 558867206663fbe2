import type { RejectedBackend } from '@procref/core'
import { type Inspection, inspect } from '@procref/lifecycle'
import { chooseBackend } from '../choose-backend.ts'
import type { Colors } from '../cli/output.ts'
import { type ExternalUsers, lookAtExternalUsers, viewExternalUsers } from '../external-users.ts'
import { type PlaceOptions, resolvePlace } from '../place.ts'
import { urlOf } from '../server-url.ts'
import { describeSurroundings } from '../surroundings.ts'

export interface LookOptions extends PlaceOptions {
  readonly json?: boolean
}

/** Stable: fields are only added. */
export interface Status {
  readonly dir: string
  readonly state: Inspection['state']
  /** How many slots are held. */
  readonly users: number
  /** How many there are; `null` in a directory that nobody has used yet. */
  readonly slots: number | null
  /** Who keeps the server up on purpose (`procref start`); one of the users. */
  readonly keeperPid: number | null
  readonly server: ServerStatus | null
  /** What somebody should see to, in words for people; empty when all is well. */
  readonly problems: readonly string[]
  /** Why it failed, in the state `failed`. */
  readonly failure: { readonly code: string | null; readonly message: string } | null
}

/** What `procref status` prints. */
export interface StatusWithBackend extends Status {
  /** Who uses servers elsewhere from here; `null`: nobody ever has. Nothing else in here is about those. */
  readonly external: ExternalUsers | null
  /** What the slots are, or would be, made with. */
  readonly backend: BackendStatus
}

interface BackendStatus {
  readonly name: string
  /** In words for people. */
  readonly reason: string
  /** Better ones that do not work here. */
  readonly rejected: readonly RejectedBackend[]
}

export interface ServerStatus {
  readonly epoch: number
  /** `null` until it was launched. */
  readonly pid: number | null
  readonly guardianPid: number
  /** The guardian's version of procref. */
  readonly procref: string
  /** What the kernel says the two are doing, e.g. `T (stopped)`; `null` where that cannot be seen. */
  readonly processState: string | null
  readonly guardianProcessState: string | null
  readonly host: string
  readonly port: number
  readonly url: string
  readonly driver: string
  readonly storage: string | null
  readonly version: string | null
  readonly durable: boolean
}

/** What can be seen without changing anything; the directory may not exist. */
export async function readStatus(options: LookOptions): Promise<StatusWithBackend> {
  const paths = resolvePlace(options.dir)
  const { root, slots } = paths
  const { backend, reason: why, rejected } = await chooseBackend({ name: options.backend, slotsDir: slots })
  const reason = `${why} (${await describeSurroundings(slots, backend.guarantees)})`
  return {
    ...statusOf(await inspect(root, backend)),
    external: await lookAtExternalUsers(paths),
    backend: { name: backend.name, reason, rejected },
  }
}

export function statusOf(seen: Inspection): Status {
  const { dir, state, record, holders, slots, keeper } = seen
  const failure = state === 'failed' ? record?.failure : undefined
  return {
    dir,
    state,
    users: holders.length,
    slots: slots ?? null,
    keeperPid: keeper.identity?.pid ?? null,
    server: serverOf(seen),
    problems: seen.problems,
    failure: failure === undefined ? null : { code: failure.code ?? null, message: failure.message },
  }
}

function serverOf({ guardian, record, processes }: Inspection): ServerStatus | null {
  if (record === undefined || guardian === 'absent') return null
  const { storage } = record.driver.settings
  return {
    epoch: record.epoch,
    pid: record.server?.pid ?? null,
    guardianPid: record.guardian.pid,
    procref: record.procref,
    processState: processes.server ?? null,
    guardianProcessState: processes.guardian ?? null,
    host: record.host,
    port: record.port,
    url: urlOf(record),
    driver: record.driver.name,
    storage: typeof storage === 'string' ? storage : null,
    version: record.version ?? null,
    durable: record.durable,
  }
}

export function viewStatus(status: Status, colors: Colors): string {
  const { server, state, slots, users } = status
  const lines = [`${colorOf(state, colors)(colors.bold(state))}  ${status.dir}`]
  if (server !== null) {
    const engine = [server.driver, server.version, server.storage].filter((part) => part !== null).join(' ')
    lines.push(`  ${server.url}  (${engine})`)
    lines.push(`  epoch ${server.epoch}, server pid ${server.pid ?? '?'}, guardian pid ${server.guardianPid}`)
    if (!server.durable) lines.push(colors.yellow('  not durable: what is written is gone when the server stops'))
  }
  for (const problem of status.problems) lines.push(colors.red(`  ${problem}`))
  if (slots !== null) lines.push(`  ${users} of ${slots} slots in use`)
  if (status.keeperPid !== null) lines.push(`  kept up by \`procref start\` (pid ${status.keeperPid})`)
  if (status.failure !== null) lines.push(colors.red(`  ${status.failure.message}`))
  return lines.join('\n')
}

export function viewStatusWithBackend(status: StatusWithBackend, colors: Colors): string {
  const { reason, rejected } = status.backend
  const unusable = rejected.map((other) => colors.yellow(`  not ${other.name}: ${other.reason}`))
  const external = status.external === null ? [] : [`  ${viewExternalUsers(status.external)}`]
  return [viewStatus(status, colors), ...external, `  backend ${reason}`, ...unusable].join('\n')
}

function colorOf(state: Status['state'], colors: Colors): (text: string) => string {
  if (state === 'serving') return colors.green
  return state === 'failed' || state === 'unresponsive' ? colors.red : String
}
