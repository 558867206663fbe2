import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, translateErrno } from './errno.ts'
import { ProcrefError } from './errors.ts'
import { UnsupportedFilesystemError } from './filesystem.ts'
import { slotOfFileName } from './slot-name.ts'
import { type SystemCalls, systemCalls } from './system-calls.ts'
import { removeTemporary } from './temporary-file.ts'

/** What the slots of a directory are locked with, and how many there are. Made once; changed by nothing but `moveSlots()`. */
export interface ProtocolPin {
  /** Backends that name the same protocol exclude each other; all others must keep out. */
  readonly protocol: string
  readonly slots: number
  /** The folder in the directory in which the slots are, since they were moved to another protocol; left out: the directory itself. */
  readonly folder?: string
  /** Being moved to another protocol, or was when whoever did it was killed: nobody may open the slots until that is done. */
  readonly moving?: { readonly to: string }
}

export const PIN_FILE = 'protocol.json'
export const DEFAULT_SLOTS = 100
/** Beyond this a scan of slot files is felt by whoever waits for it. */
export const MAX_SLOTS = 10_000
/** No backend has more: a pin that says so is damaged. */
const MAX_SLOTS_OF_ANY = 100_000
const FORMAT = 1
/** With a folder or a move in it: whoever knows only the first format must not pass over them. */
const FORMAT_OF_MOVED = 2
/** It is shown to people, and stands in commands that they are told to run: nothing that steers a terminal or a shell. */
const PROTOCOL_NAME = /^[\w.:@/+-]{1,100}$/
const FOLDER = /^generation-(\d{1,6})$/
/** More than any pin of this format has: a bigger file is something else. */
const MAX_PIN_BYTES = 4096
/** The seed's program writes no pin, locks with flock(2), and has a hundred slots. */
const SEED_PROTOCOL = 'flock'

/** The directory is used with another lock protocol; two of them in one directory would not exclude each other. */
export class ProtocolMismatchError extends ProcrefError {
  readonly dir: string
  readonly found: string
  readonly wanted: string
  constructor(dir: string, found: string, wanted: string) {
    super(
      'PROCREF_PROTOCOL_MISMATCH',
      `${dir} is used with the lock protocol "${found}", and this backend speaks "${wanted}": they would not exclude each other. ` +
        `Use a backend that speaks "${found}"; or, to migrate, end every program that uses the directory and run \`procref migrate\` ` +
        '(docs/migration.md says how to do it while they run).',
    )
    this.dir = dir
    this.found = found
    this.wanted = wanted
  }
}

/** The slots are being moved to another protocol, or whoever did it was killed on the way. */
export class DirectoryMovingError extends ProcrefError {
  readonly dir: string
  readonly from: string
  readonly to: string
  constructor(dir: string, from: string, to: string) {
    super(
      'PROCREF_DIRECTORY_MOVING',
      `${dir} is being moved from the lock protocol "${from}" to "${to}", which takes a moment. If it lasts, whoever did it was ended on ` +
        `the way: run \`procref migrate --to ${to}\` again, which finishes it.`,
    )
    this.dir = dir
    this.from = from
    this.to = to
  }
}

/** A migration to another backend has begun here, and its programs may hold slots that nobody else sees. */
export class OtherMigrationError extends ProcrefError {
  readonly path: string
  readonly found: string
  readonly wanted: string
  constructor(path: string, found: string, wanted: string) {
    super(
      'PROCREF_OTHER_MIGRATION',
      `${path} was made for a migration to "${found}", not "${wanted}". Finish that one; or, if it was given up and no program of it runs, ` +
        'delete this folder, then do it again.',
    )
    this.path = path
    this.found = found
    this.wanted = wanted
  }
}

/** The slots are in another folder than when the pool was opened: the directory was deleted, or moved to another protocol and back. */
export class PoolMovedError extends ProcrefError {
  readonly dir: string
  constructor(dir: string) {
    super(
      'PROCREF_POOL_MOVED',
      `The slots of ${dir} are in another place than when this pool was opened. Open it again.`,
    )
    this.dir = dir
  }
}

/** The pool was made with another number of slots. */
export class PoolSizeMismatchError extends ProcrefError {
  readonly dir: string
  readonly found: number
  readonly wanted: number
  constructor(dir: string, found: number, wanted: number) {
    super(
      'PROCREF_POOL_SIZE_MISMATCH',
      `${dir} has ${found} slots, and ${wanted} were asked for. Leave the number out to use what is there; ` +
        'to change it, end every program that uses the directory, delete it, and start again.',
    )
    this.dir = dir
    this.found = found
    this.wanted = wanted
  }
}

/** `protocol.json` is not one that this version understands, so nobody can tell how the slots are locked. */
export class ProtocolUnreadableError extends ProcrefError {
  readonly path: string
  constructor(path: string, problem: string, cause?: unknown) {
    super(
      'PROCREF_PROTOCOL_UNREADABLE',
      `${path} ${problem}. If it is damaged, end every program that uses this directory, then delete the file.`,
      { cause },
    )
    this.path = path
  }
}

/**
 * How the slots in `dir` are locked; `undefined`: nobody has used it yet (it may not exist). A directory with slot files and no
 * pin belongs to the seed's program: flock, 100 slots unless there are files of more.
 */
export function readProtocolPin(dir: string, system: SystemCalls = systemCalls): ProtocolPin | undefined {
  const { made, seed } = lookFor(dir, system)
  return made ?? seed
}

/** What the file says; else, of a directory that the seed's program uses, what it would say. */
function lookFor(dir: string, system: SystemCalls): { readonly made?: ProtocolPin; readonly seed?: ProtocolPin } {
  const path = join(dir, PIN_FILE)
  const found = readPinFile(path, system)
  if (found !== undefined) return { made: found }
  const seed = pinOfSeed(dir, system)
  if (seed === undefined) return {}
  // Everybody but the seed's program makes the pin before the first slot file. So once slot files are seen the pin, if there is to be
  // one, is there: whoever made both since we looked for it is not to be taken for the seed.
  const since = readPinFile(path, system)
  return since === undefined ? { seed } : { made: since }
}

interface WantedPin {
  readonly protocol: string
  readonly slots?: number
  /** Where the slots are to be, if the pin has to be made; one that is found may name another folder. */
  readonly folder?: string
}

/** Where the slots of a directory with this pin are. */
export function slotsFolder(dir: string, pin: Pick<ProtocolPin, 'folder'>): string {
  return pin.folder === undefined ? dir : join(dir, pin.folder)
}

/** Where the next ones will be, when the slots are moved to another protocol: each time in a folder that none had before. */
export function nextSlotsFolder(pin: Pick<ProtocolPin, 'folder'>): string {
  const generation = Number(FOLDER.exec(pin.folder ?? '')?.[1] ?? 1)
  return `generation-${generation + 1}`
}

/** Throws `OtherMigrationError` if the folder of the next slots was made for another protocol than `to`. */
export function checkNextFolder(place: string, to: string, system: SystemCalls = systemCalls): void {
  const found = readProtocolPin(place, system)?.protocol
  if (found !== undefined && found !== to) throw new OtherMigrationError(place, found, to)
}

/** Is this the name of a folder in which slots are, or have been? */
export function isSlotsFolder(name: string): boolean {
  return FOLDER.test(name)
}

/**
 * Puts `pin` in the place of the one that is there, on disk and whole before anybody can see it.
 * Caller: keep everybody else from the slots meanwhile; only `moveSlots()` does.
 */
export function replacePin(dir: string, pin: ProtocolPin, system: SystemCalls = systemCalls): void {
  const path = join(dir, PIN_FILE)
  const temporary = temporaryPin(path)
  try {
    writeDurably(temporary, encodePin(pin), system)
    system.rename(temporary, path)
    system.syncDirectory(dir)
  } catch (error) {
    throw translateErrno(error, 'replace', path)
  } finally {
    removeTemporary(temporary, system)
  }
}

/**
 * The pin of the existing directory `dir`, made with `slots` (default 100) if there is none.
 *
 * Guarantee: whoever calls this, at whatever moment, gets the same pin, or `ProtocolMismatchError` or `PoolSizeMismatchError`. It
 * is on disk, whole, before anybody can see it, and survives a power cut once the call that made it has returned. `beforeMaking` runs first, and its error keeps the pin from being made.
 * Throws `TypeError` for a number of slots that cannot be, and a name of a protocol that is not one of up to 100 letters, digits and `._:@/+-`.
 */
export function pinProtocol(
  dir: string,
  wanted: WantedPin,
  options: { readonly system?: SystemCalls; readonly maxSlots?: number; readonly beforeMaking?: () => void } = {},
): ProtocolPin {
  const system = options.system ?? systemCalls
  const maxSlots = options.maxSlots ?? MAX_SLOTS
  checkSlots(wanted.slots, maxSlots)
  checkProtocolName(wanted.protocol)
  const path = join(dir, PIN_FILE)
  const { made: found, seed } = lookFor(dir, system)
  if (found !== undefined) return agreed(dir, found, wanted, maxSlots)
  const { protocol, slots = DEFAULT_SLOTS, folder } = wanted
  const fresh = { protocol, slots, ...(folder !== undefined && { folder }) }
  const pin = agreed(dir, seed ?? fresh, wanted, maxSlots)
  options.beforeMaking?.()
  makePinFile(dir, pin, system)
  const made = readPinFile(path, system)
  if (made === undefined) throw new ProtocolUnreadableError(path, 'was deleted right after it was made')
  return agreed(dir, made, wanted, maxSlots)
}

/** Throws `TypeError` unless `slots` is absent or a number of slots that a pool can have. */
export function checkSlots(slots: number | undefined, maxSlots: number = MAX_SLOTS): void {
  if (slots === undefined || (Number.isInteger(slots) && slots >= 1 && slots <= maxSlots)) return
  throw new TypeError(`slots must be an integer from 1 to ${maxSlots}, not ${String(slots)}`)
}

function checkProtocolName(name: string): void {
  if (isProtocolName(name)) return
  throw new TypeError(
    `a lock protocol's name has up to 100 letters, digits and ._:@/+-, and is not ${JSON.stringify(name)}`,
  )
}

function isProtocolName(value: unknown): value is string {
  return typeof value === 'string' && PROTOCOL_NAME.test(value)
}

function agreed(dir: string, found: ProtocolPin, wanted: WantedPin, maxSlots: number): ProtocolPin {
  if (found.moving !== undefined) throw new DirectoryMovingError(dir, found.protocol, found.moving.to)
  if (found.protocol !== wanted.protocol) throw new ProtocolMismatchError(dir, found.protocol, wanted.protocol)
  if (wanted.slots !== undefined && wanted.slots !== found.slots) {
    throw new PoolSizeMismatchError(dir, found.slots, wanted.slots)
  }
  if (found.slots > maxSlots) {
    const problem = `names ${found.slots} slots, and with the lock protocol "${found.protocol}" there are at most ${maxSlots}`
    throw new ProtocolUnreadableError(join(dir, PIN_FILE), problem)
  }
  return found
}

function pinOfSeed(dir: string, system: SystemCalls): ProtocolPin | undefined {
  let highest = -1
  for (const name of listDirectory(dir, system)) highest = Math.max(highest, slotOfFileName(name) ?? -1)
  return highest < 0 ? undefined : { protocol: SEED_PROTOCOL, slots: Math.max(DEFAULT_SLOTS, highest + 1) }
}

function listDirectory(dir: string, system: SystemCalls): readonly string[] {
  try {
    return system.readdir(dir)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw translateErrno(error, 'list', dir)
  }
}

function readPinFile(path: string, system: SystemCalls): ProtocolPin | undefined {
  const text = readSmallFile(path, system)
  if (text === undefined) return undefined
  const fields = parseObject(path, text)
  if (fields.format !== FORMAT && fields.format !== FORMAT_OF_MOVED) {
    const format = typeof fields.format === 'number' ? `format ${fields.format}` : 'no format'
    const known = `formats ${FORMAT} and ${FORMAT_OF_MOVED}`
    throw new ProtocolUnreadableError(path, `has ${format}, and this version of procref understands ${known}`)
  }
  const { protocol, slots } = fields
  const valid = typeof slots === 'number' && Number.isInteger(slots) && slots >= 1 && slots <= MAX_SLOTS_OF_ANY
  if (!isProtocolName(protocol) || !valid) {
    throw new ProtocolUnreadableError(path, 'does not name a protocol and a number of slots')
  }
  return fields.format === FORMAT ? { protocol, slots } : { protocol, slots, ...moveIn(path, fields) }
}

function moveIn(
  path: string,
  { folder, moving }: Readonly<Record<string, unknown>>,
): Pick<ProtocolPin, 'folder' | 'moving'> {
  // It becomes part of a path.
  const aFolder = folder === undefined || (typeof folder === 'string' && isSlotsFolder(folder))
  const to = typeof moving === 'object' && moving !== null && 'to' in moving ? moving.to : undefined
  if (!aFolder || (moving !== undefined && !isProtocolName(to))) {
    throw new ProtocolUnreadableError(path, 'names a folder or a move that cannot be')
  }
  return {
    ...(typeof folder === 'string' && { folder }),
    ...(isProtocolName(to) && { moving: { to } }),
  }
}

function encodePin({ protocol, slots, folder, moving }: ProtocolPin): string {
  const format = folder === undefined && moving === undefined ? FORMAT : FORMAT_OF_MOVED
  return `${JSON.stringify({ format, protocol, slots, folder, moving })}\n`
}

function temporaryPin(path: string): string {
  return `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`
}

function parseObject(path: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ProtocolUnreadableError(path, 'is not JSON', error)
  }
  if (typeof value === 'object' && value !== null) return { ...value }
  throw new ProtocolUnreadableError(path, 'is not a JSON object')
}

function readSmallFile(path: string, system: SystemCalls): string | undefined {
  let fd: number
  try {
    // Non-blocking: opening a FIFO must not wait for its writer.
    fd = system.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw translateErrno(error, 'read', path)
  }
  try {
    if (!system.fstat(fd).isFile()) throw new ProtocolUnreadableError(path, 'is not a plain file')
    const buffer = new Uint8Array(MAX_PIN_BYTES)
    return new TextDecoder().decode(buffer.subarray(0, system.pread(fd, buffer, 0)))
  } catch (error) {
    throw translateErrno(error, 'read', path)
  } finally {
    system.close(fd)
  }
}

/** Gives the file its name by link(), which never replaces one: of simultaneous makers the first wins, and no half file is seen. */
function makePinFile(dir: string, pin: ProtocolPin, system: SystemCalls): void {
  const path = join(dir, PIN_FILE)
  const temporary = temporaryPin(path)
  try {
    writeDurably(temporary, encodePin(pin), system)
    linkUnlessThere(dir, temporary, path, system)
  } catch (error) {
    throw translateErrno(error, 'make', path)
  } finally {
    removeTemporary(temporary, system)
  }
  // After a power cut slot files without a pin would be the seed's: its name is on the disk before there is any.
  try {
    system.syncDirectory(dir)
  } catch (error) {
    throw translateErrno(error, 'make', path)
  }
}

function linkUnlessThere(dir: string, temporary: string, path: string, system: SystemCalls): void {
  try {
    system.link(temporary, path)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'EEXIST') return
    if (errno === 'EPERM' || errno === 'ENOTSUP' || errno === 'EOPNOTSUPP' || errno === 'ENOSYS') {
      throw new UnsupportedFilesystemError(
        dir,
        'a file system',
        `that has no hard links (${errno}). Choose another one`,
      )
    }
    throw error
  }
}

function writeDurably(path: string, text: string, system: SystemCalls): void {
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
