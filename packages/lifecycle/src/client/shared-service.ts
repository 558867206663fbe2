import { type Json, type Slot, type SlotPool, secureDirectory } from '@procref/core'
import type { ServerDriver } from '../driver.ts'
import { type ConfigDifference, ConfigMismatchError, InsideGuardianError } from '../errors.ts'
import { fileTrouble } from '../file-trouble.ts'
import { defaultDirectory, layout } from '../state/layout.ts'
import type { ServerRecord, ServiceSettings } from '../state/server-record.ts'
import { acceptUpgrade } from '../upgrade/upgrade-data.ts'
import { awaitServing, type WaitContext } from './await-serving.ts'
import { checkReachable } from './check-reachable.ts'
import { checkSeen } from './check-seen.ts'
import { endWith } from './end-with.ts'
import { guardianProgramOf } from './guardian-program.ts'
import { KeptLease } from './kept-lease.ts'
import type { ServiceLease } from './lease.ts'
import type { Progress, SharedServiceOptions } from './options.ts'

/** How long `connect()`, `sharedService()`, `connectHttp()` and `keepServer()` wait where nothing else is said. */
export const DEFAULT_TIMEOUT_MS = 150_000
const DEFAULT_LINGER_MS = 10_000
const DEFAULT_CRASH_LOOP = { starts: 5, withinMs: 60_000 }

/**
 * A share in the one server of a directory: started if nobody runs it, joined if somebody does.
 *
 * Guarantee: while the lease lasts no guardian stops the server, and a server or guardian that dies is replaced.
 * Unspecified: which process launches the guardian.
 * Caller: close the lease, or just end.
 * Errors, each after the slot was given back: `PROCREF_SLOTS_EXHAUSTED`, `PROCREF_CONFIG_MISMATCH`,
 * `PROCREF_CONNECT_TIMEOUT`, `PROCREF_CRASH_LOOP`, `PROCREF_FOREIGN_NAMESPACE`, `PROCREF_GUARDIAN_LAUNCH`, what kept the server from starting, and the signal's reason.
 */
export async function sharedService(options: SharedServiceOptions): Promise<ServiceLease> {
  return await leaseService(options)
}

/** As `sharedService`, with what only the layer above may use. */
export async function leaseService(options: SharedServiceOptions): Promise<KeptLease> {
  // A guardian that called connect() would launch a guardian, and so on.
  if (process.env.PROCREF_GUARDIAN === '1') throw new InsideGuardianError()
  const { backend, driver, label } = options
  const signal = options.signal ?? new AbortController().signal
  signal.throwIfAborted()
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const began = performance.now()
  const progress = (step: Progress['step'], message: string): void =>
    options.onProgress?.({ step, message, elapsedMs: performance.now() - began })
  const paths = layout(options.dir ?? defaultDirectory())
  const endIfAbandoned = options.endWith && endWith(options.endWith, paths.root)
  secureDirectory(paths.root)
  const guardianProgram = guardianProgramOf(options)
  const pool = await backend.open(paths.slots, {
    ...(options.slots !== undefined && { slots: options.slots }),
    ...(label !== undefined && { label }),
    ...(options.allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem: options.allowUnsafeFilesystem }),
  })
  const wait = {
    paths,
    backend,
    driver,
    settings: { ...settingsOf(options), slots: pool.size },
    label,
    guardianCommand: options.guardianCommand,
    guardianProgram,
    timeoutMs,
    ...(options.whenOlder === 'upgrade' && { beforeLaunch: () => acceptUpgrade(paths, driver) }),
  }
  const context: WaitContext = { ...wait, deadline: began + timeoutMs, signal, keepAlive: 'keep-alive', progress }
  try {
    // The slot comes first, the look at server.json second: see guardian.ts.
    const slot = await claimSlot(pool, options, context)
    const record = await awaitServing(context)
    checkReachable(record, paths.root)
    checkSeen(pool, record, paths.root)
    checkConfiguration(record, driver, options, paths.root)
    await slot.verify()
    const lease = new KeptLease({ pool, slot, record, wait })
    endIfAbandoned?.(lease)
    lease.lost.throwIfAborted()
    return lease
  } catch (error) {
    await pool.close()
    throw fileTrouble(error, paths.root)
  }
}

export function claimSlot(
  pool: SlotPool,
  options: Pick<SharedServiceOptions, 'whenFull'>,
  { signal, deadline }: { readonly signal: AbortSignal; readonly deadline: number },
): Promise<Slot> {
  if (options.whenFull !== 'wait') return pool.claim({ signal })
  return pool.claim({ signal, timeoutMs: Math.max(0, deadline - performance.now()) })
}

function settingsOf(options: SharedServiceOptions): ServiceSettings {
  return {
    lingerMs: options.lingerMs ?? DEFAULT_LINGER_MS,
    crashLoop: DEFAULT_CRASH_LOOP,
    ...(options.port !== undefined && { port: options.port }),
    ...(options.allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem: options.allowUnsafeFilesystem }),
  }
}

/** The first client's settings win; whoever asks for others is told each difference. */
function checkConfiguration(
  record: ServerRecord,
  driver: ServerDriver,
  options: SharedServiceOptions,
  dir: string,
): void {
  if (options.whenDifferent === 'join') return
  const differences: ConfigDifference[] = []
  const compare = (setting: string, running: Json, asked: Json): void => {
    if (JSON.stringify(running) !== JSON.stringify(asked)) differences.push({ setting, running, asked })
  }
  compare('driver', record.driver.name, driver.name)
  if (record.driver.name === driver.name) {
    for (const [setting, asked] of Object.entries(driver.asked ?? driver.settings)) {
      compare(setting, record.driver.settings[setting] ?? null, asked)
    }
  }
  if (options.port !== undefined) compare('port', record.port, options.port)
  if (differences.length > 0) throw new ConfigMismatchError({ dir, differences })
}
