import { randomBytes } from 'node:crypto'
import { constants, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import {
  errnoOf,
  type FileIdentity,
  isError,
  leadsElsewhere,
  leadsTo,
  openIfThere,
  ProcrefError,
  parseRecord,
  RECORD_BYTES,
  replaceFile,
  type SlotInfo,
  type SlotTable,
  type SlotTables,
  type StorePlace,
  type SystemCalls,
  TableDamagedError,
  translateErrno,
} from '@procref/core'
import type { NativeBinding } from './binding.ts'
import { kernelWaits } from './kernel-waits.ts'
import { calling } from './native-error.ts'

const RECORD_FILE = 'sysv.json'
const LABELS_FILE = 'sysv.labels'
const FORMAT = 1
/** More than any record of this format has: a bigger file is something else. */
const MAX_RECORD_BYTES = 4096
const FULL = -1

/** The pool's semaphores are in another container: its slots would not exclude ours, so no second set is made. */
export class IpcNamespaceMismatchError extends ProcrefError {
  readonly path: string
  readonly found: string
  readonly ours: string
  constructor(path: string, found: string, ours: string) {
    super(
      'PROCREF_IPC_NAMESPACE_MISMATCH',
      `${path} names semaphores of the IPC namespace ${found}, and this process is in ${ours}: it can neither see nor exclude the holders there. ` +
        'Start both with a common one (`--ipc=host`, `--ipc=container:…`) or use another backend. If nothing is left of the other ' +
        'namespace, end every program that uses this directory, then delete the file.',
    )
    this.path = path
    this.found = found
    this.ours = ours
  }
}

/** The kernel has no room for another semaphore set. */
export class SemaphoreLimitError extends ProcrefError {
  constructor(slots: number, cause: unknown) {
    super(
      'PROCREF_SEMAPHORE_LIMIT',
      `The kernel has no room for a set of ${slots} semaphores. \`ipcs -ls\` shows its limits, \`ipcs -s\` what exists, and ` +
        '/proc/sys/kernel/sem sets them. A smaller pool may fit.',
      { cause },
    )
  }
}

/** What `sysv.json` says. */
interface SetRecord {
  readonly format: typeof FORMAT
  readonly id: number
  readonly slots: number
  /** Also the value of semaphores of the set: an id that was used again leads to another number. */
  readonly magic: string
  readonly bootId: string
  readonly ipcNamespace: string
}

/** The semaphore set of the pool in `place`. */
export class SysvTables implements SlotTables {
  readonly path: string
  readonly #native: NativeBinding
  readonly #place: StorePlace

  constructor(native: NativeBinding, place: StorePlace) {
    this.#native = native
    this.#place = place
    this.path = join(place.dir, RECORD_FILE)
  }

  /** The semaphore that counts free slots stands for all of them. */
  waits(): number {
    return 1
  }

  open(): SlotTable | undefined {
    const { system } = this.#place
    const file = openIfThere(system, this.path)
    if (file === undefined) return undefined
    let table: SysvTable | undefined
    try {
      const record = parseSetRecord(this.path, readText(system, this.path, file.fd))
      const set = this.#openSet(record)
      if (set !== undefined) table = new SysvTable(this.#native, set, this.#place, this.path, file)
      return table
    } finally {
      if (table === undefined) system.close(file.fd)
    }
  }

  make(): void {
    const { slots, system } = this.#place
    const magic = randomBytes(8).toString('hex')
    const id = this.#createSet(slots, magic)
    const record: SetRecord = { format: FORMAT, id, slots, magic, bootId: bootId(), ipcNamespace: ipcNamespace() }
    let published = false
    try {
      replaceFile(system, this.path, (temporary) => writeText(system, temporary, `${JSON.stringify(record)}\n`))
      published = true
    } finally {
      // Nobody else knows its id, so nobody else ever would.
      if (!published) this.#native.sysvRemove(id, slots, magic)
    }
  }

  #openSet({ id, slots, magic, bootId: ofBoot, ipcNamespace: ofNamespace }: SetRecord): number | undefined {
    // No semaphore outlives a boot.
    if (ofBoot !== bootId()) return undefined
    const ours = ipcNamespace()
    if (ofNamespace !== ours) throw new IpcNamespaceMismatchError(this.path, ofNamespace, ours)
    if (slots !== this.#place.slots) {
      throw new TableDamagedError(this.path, `has ${slots} slots, and the pool ${this.#place.slots}`)
    }
    return unlessGone(this.path, () => this.#native.sysvOpen(id, slots, magic))
  }

  #createSet(slots: number, magic: string): number {
    try {
      return calling(this.path, () => this.#native.sysvCreate(slots, magic))
    } catch (error) {
      // EINVAL: more than SEMMSL; ENOSPC: SEMMNI or SEMMNS is reached.
      const errno = errnoOf(error)
      throw errno === 'EINVAL' || errno === 'ENOSPC' ? new SemaphoreLimitError(slots, error) : error
    }
  }
}

class SysvTable implements SlotTable {
  readonly #native: NativeBinding
  readonly #set: number
  readonly #path: string
  readonly #record: Uint8Array
  readonly #system: SystemCalls
  /** Kept open, so that its inode number stays its own. */
  readonly #file: FileIdentity & { readonly fd: number }
  readonly #labels: number | undefined
  #open = true

  constructor(
    native: NativeBinding,
    set: number,
    { dir, record, system }: StorePlace,
    path: string,
    file: FileIdentity & { readonly fd: number },
  ) {
    this.#native = native
    this.#set = set
    this.#path = path
    this.#record = record
    this.#system = system
    this.#file = file
    this.#labels = openLabels(system, join(dir, LABELS_FILE))
  }

  isCurrent(): boolean {
    return this.#open && leadsTo(this.#system, this.#path, this.#file)
  }

  tryTake(): number | 'full' | 'gone' {
    const slot = unlessGone(this.#path, () => this.#native.sysvTryTake(this.#set))
    if (slot === undefined) return 'gone'
    if (slot === FULL) return 'full'
    this.#writeLabel(slot)
    return slot
  }

  async takeWhenFree(_: number, { signal }: { readonly signal: AbortSignal }): Promise<number | 'look'> {
    const native = this.#native
    const start = (listener: number): number => native.sysvStartTakeWait(listener, this.#set)
    const slot = await unlessRemoved(kernelWaits(native).run(this.#path, start, signal))
    if (slot === undefined) return 'look'
    this.#writeLabel(slot)
    return slot
  }

  async whenUnused({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const native = this.#native
    const start = (listener: number): number => native.sysvStartUnusedWait(listener, this.#set)
    await unlessRemoved(kernelWaits(native).run(this.#path, start, signal))
  }

  release(slot: number): void {
    if (this.#open) this.#native.sysvRelease(this.#set, slot)
  }

  whyLost(slot: number): string | undefined {
    if (!this.#open) return 'its semaphore set was removed'
    const held = unlessGone(this.#path, () => this.#native.sysvIsHeld(this.#set, slot))
    if (held === undefined) return 'its semaphore set was removed'
    // Whoever changed it last holds it.
    const holder = unlessGone(this.#path, () => this.#native.sysvLastPid(this.#set, slot))
    if (!held || holder !== process.pid) return 'its semaphore was reset by somebody else'
    const file = { path: this.#path, isCurrent: () => this.isCurrent() }
    return leadsElsewhere(file) ? `${this.#path} was deleted or replaced` : undefined
  }

  held(): readonly number[] {
    return unlessGone(this.#path, () => this.#native.sysvHeld(this.#set)) ?? []
  }

  info(slot: number): SlotInfo {
    const pid = unlessGone(this.#path, () => this.#native.sysvLastPid(this.#set, slot)) ?? 0
    const record = this.#readLabel(slot)
    // The kernel's word comes with the semaphore, the record a moment later: one that names another process is an earlier holder's. A
    // holder whose process we cannot see (0) has only its record.
    if (record !== undefined && (pid === 0 || record.pid === pid)) return { slot, ...record }
    return pid === 0 ? { slot } : { slot, pid }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#native.sysvClose(this.#set)
    this.#system.close(this.#file.fd)
    if (this.#labels !== undefined) this.#system.close(this.#labels)
  }

  /** A label, so nothing that goes wrong with it turns a claimer away: the slot is ours by its semaphore. */
  #writeLabel(slot: number): void {
    if (this.#labels === undefined) return
    try {
      this.#system.pwrite(this.#labels, this.#record, slot * RECORD_BYTES)
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
    }
  }

  #readLabel(slot: number) {
    if (this.#labels === undefined) return undefined
    const bytes = new Uint8Array(RECORD_BYTES)
    try {
      const read = this.#system.pread(this.#labels, bytes, slot * RECORD_BYTES)
      return parseRecord(bytes.subarray(0, read))
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return undefined
    }
  }
}

/** Runs a call on a set; `undefined`: the kernel has no such set any more. */
function unlessGone<T>(path: string, call: () => T): T | undefined {
  try {
    return calling(path, call)
  } catch (error) {
    if (!isError(error) || !('code' in error)) throw error
    // By the end of the pool, and with it all that it held.
    if (error.code === 'GONE' || isClosed(error)) return undefined
    if (error.code === 'DAMAGED') throw new TableDamagedError(path, `leads to a set that is damaged (${error.message})`)
    throw error
  }
}

/** The outcome of a wait; `undefined`: the set was removed, or closed here, and with it all that it held. */
async function unlessRemoved(wait: Promise<number>): Promise<number | undefined> {
  try {
    return await wait
  } catch (error) {
    if (errnoOf(error) === 'EIDRM' || isClosed(error)) return undefined
    throw error
  }
}

function isClosed(error: unknown): boolean {
  return isError(error) && 'code' in error && error.code === 'CLOSED'
}

function openLabels(system: SystemCalls, path: string): number | undefined {
  try {
    return system.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}

function readText(system: SystemCalls, path: string, fd: number): string {
  const bytes = new Uint8Array(MAX_RECORD_BYTES)
  try {
    return new TextDecoder().decode(bytes.subarray(0, system.pread(fd, bytes, 0)))
  } catch (error) {
    throw translateErrno(error, 'read', path)
  }
}

function writeText(system: SystemCalls, path: string, text: string): void {
  const fd = system.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    const bytes = new TextEncoder().encode(text)
    const written = system.pwrite(fd, bytes, 0)
    if (written !== bytes.length) throw Object.assign(new Error(`ENOSPC: short write, '${path}'`), { code: 'ENOSPC' })
    system.fsync(fd)
  } finally {
    system.close(fd)
  }
}

function parseSetRecord(path: string, text: string): SetRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new TableDamagedError(path, 'is not JSON', error)
  }
  const fields: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {}
  const { format, id, slots, magic, bootId: ofBoot, ipcNamespace: ofNamespace } = fields
  if (format !== FORMAT)
    throw new TableDamagedError(path, `is not of the format ${FORMAT} that this version understands`)
  const valid = typeof magic === 'string' && /^[0-9a-f]{16}$/.test(magic)
  if (!valid || !isIndex(id) || !isIndex(slots) || typeof ofBoot !== 'string' || typeof ofNamespace !== 'string') {
    throw new TableDamagedError(path, 'does not name a semaphore set')
  }
  return { format, id, slots, magic, bootId: ofBoot, ipcNamespace: ofNamespace }
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}

function ipcNamespace(): string {
  return readlinkSync('/proc/self/ns/ipc')
}
