import { basename, resolve } from 'node:path'
import type { FileLocker } from './file-locker.ts'
import { checkFilesystem, filesystemOf, nearestExisting } from './filesystem.ts'
import type { FilesystemType } from './filesystem-types.ts'
import type { Guarantees } from './guarantees.ts'
import { testMedium } from './medium-test.ts'
import type { ProcessTable } from './process-table.ts'
import {
  checkSlots,
  DirectoryMovingError,
  MAX_SLOTS,
  PoolMovedError,
  ProtocolMismatchError,
  pinProtocol,
  readProtocolPin,
  slotsFolder,
} from './protocol-pin.ts'
import { checkDirectory, secureDirectory, UnsafeDirectoryError } from './secure-directory.ts'
import {
  type BackendDescriptor,
  type OpenPoolOptions,
  type SlotBackend,
  type SlotPool,
  type Support,
  type SupportOptions,
  unsupported,
} from './slot-backend.ts'
import { encodeRecord } from './slot-record.ts'
import type { SlotStore } from './slot-store.ts'
import { StoredPool } from './stored-pool.ts'
import { type SystemCalls, systemCalls } from './system-calls.ts'

/** What makes one backend different from another. */
export interface StoreSlotsOptions {
  readonly name: string
  /** Two backends that lock the same slots in the same way name the same protocol. Default: `name`. */
  readonly protocol?: string
  readonly guarantees: Guarantees
  readonly descriptor: BackendDescriptor
  /** The backend's control locks; also what the medium is tested with. */
  readonly locks: FileLocker
  /** As `SlotBackend.processes`. */
  readonly processes?: ProcessTable
  /** The largest pool. Default: 10,000. */
  readonly maxSlots?: number
  /** Throws a `BackendUnavailableError` where the backend cannot work at all, e.g. its native part is missing. */
  readonly check?: () => void
  /** Opens the slots of a directory that exists, is safe, and is pinned to this protocol. */
  openStore(place: StorePlace): SlotStore
  /** For tests: what the protocol asks of the operating system. */
  readonly system?: SystemCalls
}

/** Where a store is opened. */
export interface StorePlace {
  /** Absolute. Where the slots are: the pool's directory, or since a move a folder in it. */
  readonly dir: string
  readonly slots: number
  /** What this process writes as the holder of a slot, for people; see `encodeRecord`. */
  readonly record: Uint8Array
  readonly system: SystemCalls
  /** Makes the directory and its pin anew after somebody deleted them; throws what `open()` would. */
  restoreDirectory(): void
}

/**
 * A backend whose slots are in a store of its own: the directory, its pin, the file system's checks and the pool are the same for
 * all. For slots that are files there is `fileSlots()`, which is this with the slot-file protocol as its store.
 *
 * Guarantee: what `parts.guarantees` says, provided that the store keeps the promises of `SlotStore`.
 * Caller: constructing it does nothing; `support()` and `open()` look at the machine.
 */
export function storeSlots(parts: StoreSlotsOptions): SlotBackend {
  const system = parts.system ?? systemCalls
  const protocol = parts.protocol ?? parts.name
  return {
    name: parts.name,
    protocol,
    guarantees: parts.guarantees,
    descriptor: parts.descriptor,
    locks: parts.locks,
    ...(parts.processes && { processes: parts.processes }),
    support: (dir, options = {}) => support(parts, protocol, system, resolve(dir), options),
    open: (dir, options = {}) => open(parts, protocol, system, resolve(dir), options),
  }
}

async function support(
  parts: StoreSlotsOptions,
  protocol: string,
  system: SystemCalls,
  dir: string,
  options: SupportOptions,
): Promise<Support> {
  try {
    if (!parts.guarantees.platforms.includes(process.platform)) {
      return { supported: false, reason: `${parts.name} does not work on ${process.platform}` }
    }
    parts.check?.()
    const filesystem = await accepted(dir, system, options)
    if (system.lstat(dir) === undefined) {
      requireDirectory(nearestExisting(dir, system), system)
      return { supported: true }
    }
    checkDirectory(dir, system)
    const pin = readProtocolPin(dir, system)
    if (pin?.moving !== undefined) throw new DirectoryMovingError(dir, pin.protocol, pin.moving.to)
    if (pin !== undefined && pin.protocol !== protocol) throw new ProtocolMismatchError(dir, pin.protocol, protocol)
    testMedium(parts.locks, dir, filesystem.name, system)
    return { supported: true }
  } catch (error) {
    return unsupported(error)
  }
}

async function open(
  parts: StoreSlotsOptions,
  protocol: string,
  system: SystemCalls,
  dir: string,
  options: OpenPoolOptions,
): Promise<SlotPool> {
  const { maxSlots = MAX_SLOTS } = parts
  checkSlots(options.slots, maxSlots)
  parts.check?.()
  // Before anything is made there.
  const filesystem = await accepted(dir, system, options)
  const test = (): void => testMedium(parts.locks, dir, filesystem.name, system)
  const ready = (wanted: { readonly slots?: number; readonly folder?: string }) => {
    secureDirectory(dir, { system })
    const pin = pinProtocol(dir, { protocol, ...wanted }, { system, maxSlots, beforeMaking: test })
    if (pin.folder !== undefined) secureDirectory(slotsFolder(dir, pin), { system })
    return pin
  }
  const pin = ready(options.slots === undefined ? {} : { slots: options.slots })
  if (filesystem.kind === 'unknown') test()
  const { slots, folder } = pin
  const restoreDirectory = (): void => {
    const found = ready(folder === undefined ? { slots } : { slots, folder })
    // In the old place the slots would exclude nobody.
    if (found.folder !== folder) throw new PoolMovedError(dir)
  }
  const record = encodeRecord(selfRecord(options.label))
  const store = parts.openStore({ dir: slotsFolder(dir, pin), slots, record, system, restoreDirectory })
  return new StoredPool(parts.name, dir, slots, store)
}

/** Windows says of what is below a file that it does not exist, and not that it cannot. */
function requireDirectory(path: string, system: SystemCalls): void {
  if (system.stat(path)?.isDirectory() !== false) return
  throw new UnsafeDirectoryError(path, 'is not a directory', 'Move it away, or choose another directory.')
}

/** The file system, unless it is refused. The override does not reach the test of the medium: what fails that never works. */
function accepted(dir: string, system: SystemCalls, options: SupportOptions): Promise<FilesystemType> {
  return options.allowUnsafeFilesystem === true ? filesystemOf(dir, { system }) : checkFilesystem(dir, { system })
}

function selfRecord(label: string | undefined) {
  const [node = process.execPath, script] = process.argv
  return {
    pid: process.pid,
    ...(label === undefined ? {} : { label }),
    startedAt: new Date(performance.timeOrigin).toISOString(),
    program: script === undefined ? basename(node) : `${basename(node)} ${script}`,
  }
}
