import { errnoOf } from './errno.ts'
import { ProcrefError } from './errors.ts'
import type { FileLocker } from './file-locker.ts'
import { FileSlotPool } from './file-slot-pool.ts'
import { checkFilesystem } from './filesystem.ts'
import type { FilesystemType } from './filesystem-types.ts'
import type { Guarantees } from './guarantees.ts'
import { testMedium } from './medium-test.ts'
import { pinProtocol, readProtocolPin } from './protocol-pin.ts'
import { secureDirectory } from './secure-directory.ts'
import type {
  BackendDescriptor,
  OpenPoolOptions,
  SlotBackend,
  SlotPool,
  Support,
  SupportOptions,
} from './slot-backend.ts'
import { type SlotFiles, slotPaths } from './slot-files.ts'
import { encodeRecord } from './slot-record.ts'
import { type SystemCalls, systemCalls } from './system-calls.ts'

export interface FileSlotsOptions {
  readonly name: string
  /** Backends that name the same protocol exclude each other in one directory. Default: `name`. */
  readonly protocol?: string
  readonly locker: FileLocker
  readonly guarantees: Guarantees
  readonly descriptor: BackendDescriptor
  /** For tests: system calls that fail on purpose. */
  readonly system?: SystemCalls
}

/**
 * A backend on slot files (docs/slot-directory.md): all of it but the lock on one file, which `locker` supplies.
 *
 * Guarantee: what `locker` guarantees for one file holds for each slot.
 * Caller: `guarantees` have to be those of the locker.
 */
export function fileSlots(options: FileSlotsOptions): SlotBackend {
  const { name, locker, guarantees, descriptor } = options
  const protocol = options.protocol ?? name
  const system = options.system ?? systemCalls
  return {
    name,
    protocol,
    guarantees,
    descriptor,
    locks: locker,
    support: (dir, asked) => support(dir, protocol, options, asked),
    open: async (dir, asked = {}) => open(dir, { name, protocol, locker, system }, asked),
  }
}

interface Parts {
  readonly name: string
  readonly protocol: string
  readonly locker: FileLocker
  readonly system: SystemCalls
}

async function open(dir: string, parts: Parts, asked: OpenPoolOptions): Promise<SlotPool> {
  const { name, protocol, locker, system } = parts
  const wanted = { protocol, ...(asked.slots !== undefined && { slots: asked.slots }) }
  const type = await fileSystemType(dir, system, asked.allowUnsafeFilesystem === true)
  const makeDirectory = (size: number | undefined): number => {
    secureDirectory(dir, { system })
    // The medium is tried out when the pool is made: whoever comes later relies on that.
    const beforeMaking = (): void => {
      if (asked.allowUnsafeFilesystem !== true) testMedium(locker, dir, type.name, system)
    }
    return pinProtocol(dir, { ...wanted, ...(size !== undefined && { slots: size }) }, { system, beforeMaking }).slots
  }
  const size = makeDirectory(asked.slots)
  const files: SlotFiles = {
    dir,
    size,
    locker,
    system,
    record: encodeRecord(ownRecord(asked.label)),
    path: slotPaths(dir),
  }
  return new FileSlotPool(name, files, () => void makeDirectory(size))
}

async function fileSystemType(dir: string, system: SystemCalls, allowUnsafe: boolean): Promise<FilesystemType> {
  return allowUnsafe
    ? { name: 'a file system that was not checked', kind: 'unknown' }
    : await checkFilesystem(dir, { system })
}

async function support(
  dir: string,
  protocol: string,
  options: FileSlotsOptions,
  asked: SupportOptions = {},
): Promise<Support> {
  const system = options.system ?? systemCalls
  const { platforms } = options.guarantees
  if (!platforms.includes(process.platform)) return refused(`${options.name} does not run on ${process.platform}`)
  try {
    if (asked.allowUnsafeFilesystem !== true) await checkFilesystem(dir, { system })
    const pin = readProtocolPin(dir, system)
    if (pin !== undefined && pin.protocol !== protocol) {
      return refused(`${dir} is used with the lock protocol "${pin.protocol}"`)
    }
    // A locker that cannot be loaded says so at its first use; looking for a file that is not there makes nothing.
    options.locker.watch(`${dir}/slot_support_probe.lock`).close()
    return { supported: true }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return { supported: true }
    if (error instanceof ProcrefError || errnoOf(error) !== undefined) return refused((error as Error).message)
    throw error
  }
}

function refused(reason: string): Support {
  return { supported: false, reason }
}

function ownRecord(label: string | undefined): Parameters<typeof encodeRecord>[0] {
  const startedAt = new Date(Date.now() - process.uptime() * 1000).toISOString()
  const program = process.argv.slice(0, 2).join(' ')
  return { pid: process.pid, startedAt, program, ...(label !== undefined && { label }) }
}
