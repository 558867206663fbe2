import { type Descriptor, importTrouble, rebuildFromDescriptor } from '@procref/core'
import {
  type Layout,
  lookAtUpgrade,
  readEngineDriver,
  readEngineRecord,
  readServerRecord,
  type ServerDriver,
  type ServerRecord,
  type SharedServiceOptions,
  type Storage,
  surrealBinary,
} from '@procref/lifecycle'
import { DRIVER_NAMES, type DriverName, STORAGES } from './server-names.ts'

interface KnownDriver {
  /** `driver.name` of what `make` makes, as `server.json` has it. */
  readonly recordedAs: string
  make(options: { readonly storage?: Storage }): Promise<ServerDriver>
}

const KNOWN: { readonly [K in DriverName]: KnownDriver } = {
  binary: { recordedAs: 'surreal-binary', make: async (options) => surrealBinary(options) },
  embedded: {
    recordedAs: 'embedded-surreal',
    // Loaded only where it is used: a machine with an executable never needs the engine.
    make: async (options) => (await loadEmbedded()).embeddedSurreal(options),
  },
}

async function loadEmbedded(): Promise<typeof import('@procref/embedded')> {
  try {
    return await import('@procref/embedded')
  } catch (error) {
    throw importTrouble(error, '@procref/embedded')
  }
}

export interface DriverQuestion {
  readonly paths: Layout
  /** Left out: whatever serves the directory now, else the best that this machine has. */
  readonly driver?: DriverName | ServerDriver | undefined
  /** Left out: what the data were written with, else the driver's own choice. */
  readonly storage?: Storage | undefined
  /** `upgrade`: the best server, whatever it makes of the data. */
  readonly whenOlder?: SharedServiceOptions['whenOlder']
}

/**
 * The server to ask for. Starts nothing and locks nothing: what it reads are hints, so that programs with different things
 * installed ask for the same server; the guardian and the check of the configuration decide.
 */
export async function resolveDriver({ paths, driver, storage, whenOlder }: DriverQuestion): Promise<ServerDriver> {
  if (typeof driver === 'object') return driver
  const running = runningDriver(paths)
  const known = driver ?? (running === undefined ? await driverFor(paths, whenOlder) : nameOf(running.name))
  if (known === undefined) return await foreignDriver(running?.descriptor)
  const wanted = storage ?? storageIn(running?.settings) ?? storageIn(readEngineRecord(paths.engineJson))
  return await KNOWN[known].make(wanted === undefined ? {} : { storage: wanted })
}

/**
 * The driver that a guardian serves with, and all that was asked of it: this package's own code where the driver is one of its own, so
 * that what was upgraded takes over; else what was recorded. Throws `DescriptorError` when that cannot be loaded.
 */
export async function driverAsRecorded({ name, descriptor }: ServerRecord['driver']): Promise<ServerDriver> {
  const known = nameOf(name)
  const own = known === undefined ? undefined : (await KNOWN[known].make({})).descriptor
  const ours = own?.factory === descriptor.factory ? { ...own, options: descriptor.options } : descriptor
  return await rebuildFromDescriptor<ServerDriver>(ours)
}

/** What the last guardian of the directory served, unless it ended in an orderly way: then nobody depends on it. */
function runningDriver(paths: Layout): ServerRecord['driver'] | undefined {
  const record = readServerRecord(paths.serverJson)
  return record?.state === 'stopped' || record?.state === 'failed' ? undefined : record?.driver
}

/** A server of a kind that only another program knows can be joined all the same, and brought back if its driver is found. */
async function foreignDriver(descriptor: Descriptor | undefined): Promise<ServerDriver> {
  try {
    if (descriptor !== undefined) return await rebuildFromDescriptor<ServerDriver>(descriptor)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'PROCREF_DESCRIPTOR_UNUSABLE') throw error
  }
  return await KNOWN[await bestDriver()].make({})
}

/** The best; but what the embedded engine has written stays its own while an executable would have to upgrade it, or is too old for it. */
async function driverFor({ root, engineJson }: Layout, whenOlder: DriverQuestion['whenOlder']): Promise<DriverName> {
  const best = await bestDriver()
  if (best !== 'binary' || whenOlder === 'upgrade' || readEngineDriver(engineJson) !== KNOWN.embedded.recordedAs)
    return best
  const storage = storageIn(readEngineRecord(engineJson))
  try {
    const upgrade = await lookAtUpgrade(root, await KNOWN.binary.make(storage === undefined ? {} : { storage }))
    return upgrade === undefined || upgrade.accepted ? best : 'embedded'
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'PROCREF_NEWER_DATA') throw error
    return 'embedded'
  }
}

/**
 * An executable, where there is one; else the engine that is installed with this package. Throws `ExecutableNotFoundError` for one that was
 * named and is not there: another server than the one that was meant would make data of another version.
 */
export async function bestDriver(): Promise<DriverName> {
  try {
    await surrealBinary().check?.()
    return 'binary'
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'PROCREF_EXECUTABLE_NOT_FOUND') throw error
    if (process.env.PROCREF_SURREAL_BIN) throw error
    return 'embedded'
  }
}

function nameOf(recorded: string): DriverName | undefined {
  return DRIVER_NAMES.find((name) => KNOWN[name].recordedAs === recorded)
}

function storageIn(record: { readonly storage?: unknown } | undefined): Storage | undefined {
  return STORAGES.find((storage) => storage === record?.storage)
}
