import { basename, resolve } from 'node:path'
import type { FileLocker } from './file-locker.ts'
import { FileSlotPool } from './file-slot-pool.ts'
import { checkFilesystem, filesystemOf } from './filesystem.ts'
import type { FilesystemType } from './filesystem-types.ts'
import type { Guarantees } from './guarantees.ts'
import { testMedium } from './medium-test.ts'
import { checkSlots, ProtocolMismatchError, pinProtocol, readProtocolPin } from './protocol-pin.ts'
import { checkDirectory, secureDirectory } from './secure-directory.ts'
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

/** What makes a file-based backend different from another. */
export interface FileSlotsOptions {
  readonly name: string
  /** Two backends that lock the same files in the same way name the same protocol. Default: `name`. */
  readonly protocol?: string
  readonly locker: FileLocker
  readonly guarantees: Guarantees
  readonly descriptor: BackendDescriptor
  /** Throws a `BackendUnavailableError` where the locker cannot work at all, e.g. its native part is missing. */
  readonly check?: () => void
  /** For tests: what the protocol asks of the operating system. */
  readonly system?: SystemCalls
}

/**
 * A backend whose slots are files locked by `locker`: the slot-file protocol of docs/slot-directory.md.
 *
 * Guarantee: what `parts.guarantees` says, provided that `parts.locker` keeps the promises of `FileLocker`.
 * Unspecified: which slot a claim gets.
 * Caller: constructing it does nothing; `support()` and `open()` look at the machine.
 */
export function fileSlots(parts: FileSlotsOptions): SlotBackend {
  const system = parts.system ?? systemCalls
  const protocol = parts.protocol ?? parts.name
  return {
    name: parts.name,
    protocol,
    guarantees: parts.guarantees,
    descriptor: parts.descriptor,
    locks: parts.locker,
    support: (dir, options = {}) => support(parts, protocol, system, resolve(dir), options),
    open: (dir, options = {}) => open(parts, protocol, system, resolve(dir), options),
  }
}

async function support(
  parts: FileSlotsOptions,
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
    if (system.lstat(dir) === undefined) return { supported: true }
    checkDirectory(dir, system)
    const pin = readProtocolPin(dir, system)
    if (pin !== undefined && pin.protocol !== protocol) throw new ProtocolMismatchError(dir, pin.protocol, protocol)
    testMedium(parts.locker, dir, filesystem.name, system)
    return { supported: true }
  } catch (error) {
    // Whatever it is: the answer is no, and this is the reason.
    return { supported: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

async function open(
  parts: FileSlotsOptions,
  protocol: string,
  system: SystemCalls,
  dir: string,
  options: OpenPoolOptions,
): Promise<SlotPool> {
  checkSlots(options.slots)
  parts.check?.()
  // Before anything is made there.
  const filesystem = await accepted(dir, system, options)
  const test = (): void => testMedium(parts.locker, dir, filesystem.name, system)
  const ready = (slots: number | undefined) => {
    secureDirectory(dir, { system })
    const wanted = slots === undefined ? { protocol } : { protocol, slots }
    return pinProtocol(dir, wanted, { system, beforeMaking: test })
  }
  const { slots } = ready(options.slots)
  if (filesystem.kind === 'unknown') test()
  const files: SlotFiles = {
    dir,
    size: slots,
    locker: parts.locker,
    system,
    record: encodeRecord(selfRecord(options.label)),
    path: slotPaths(dir),
  }
  return new FileSlotPool(parts.name, files, () => void ready(slots))
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
