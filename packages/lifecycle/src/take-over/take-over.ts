/**
 * Makes the database of a server that somebody has started by hand the one of a directory.
 *
 * The database is copied, and the copy becomes one of procref's, completely, before it gets its place; that is one rename. So there is never half of
 * it anywhere, whoever is killed when: until the rename the old folder is as it was, and from then on the directory has all of it.
 *
 *   OK:    guardian.lock  →  the database's own lock  →  copy  →  a server on the copy proves the password and tells the version  →
 *          takeover.json in the copy  →  rename to `data`  →  the old folder is moved aside  →  let go  →  deleted  →  takeover.json removed
 *   WRONG: to copy, then lock: a server that writes meanwhile makes a copy that never was.
 *   WRONG: to prove the password on the folder itself: a server rewrites files of the storage when it opens them, and a newer one the data as well.
 *   WRONG: to rename the folder itself, and write the password beside it before or after: between the two it is nobody's.
 *   WRONG: to let go of the lock, then move the old folder away: a server that comes between would write to what is deleted.
 *
 * A copy takes little: tables of both storages are never changed once they are written, so on the same file system they only get a second name.
 */
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errnoOf, type SlotBackend, secureDirectory, translateErrno } from '@procref/core'
import type { Credentials, EngineIdentity, ServerDriver } from '../driver.ts'
import type { Storage } from '../drivers/surreal-data.ts'
import { lookAtSlots } from '../inspect-slots.ts'
import { StillInUseError } from '../request-stop.ts'
import { whileServerless } from '../serverless.ts'
import { createFileDurably, removeFile, syncDirectory } from '../state/atomic-file.ts'
import { copyTree } from '../state/copy-tree.ts'
import { readEngineRecord } from '../state/engine-record.ts'
import { Journal } from '../state/journal.ts'
import { type Layout, layout } from '../state/layout.ts'
import { newNonce } from '../state/nonce.ts'
import { readTakeover, type Takeover, writeTakeover } from '../state/takeover-file.ts'
import { checkVersion, checkWritten } from './check-written.ts'
import { DatabasePresentError, DataVersionUnknownError, FolderChangedError, NotADatabaseError } from './errors.ts'
import { checkApart, type Folder, lookAtFolder, realPathOfMissing } from './folder.ts'
import { whileFolderHeld } from './folder-hold.ts'
import { aboutFolder, checkOwner } from './owner.ts'
import { whileServing } from './while-serving.ts'
import { leftStages, leftWorkplaces, makeStage, makeWorkplace, OLD_FOLDER, remove } from './workplace.ts'
import { isUnrecorded, writtenBy } from './written-by.ts'

/** One that was killed has done the steps before. */
export type TakeOverStep = 'locked' | 'held' | 'copied' | 'proven' | 'noted' | 'taken' | 'moved-away' | 'deleted'

export interface TakeOverOptions {
  /** The directory, made if missing: without a database, without users. */
  readonly dir: string
  readonly backend: SlotBackend
  /** For the directories that are made and removed on the way: a backend that keeps nothing outside of them. */
  readonly temporaryBackend: SlotBackend
  /** What has the database. */
  readonly folder: string
  /** The root user that the database has, and stays. */
  readonly credentials: Credentials
  /** Makes the server that will serve it, for the storage that was found. */
  readonly driver: (storage: Exclude<Storage, 'memory'>) => Promise<ServerDriver>
  /** Which storage it is; another one is refused. Default: what is found. */
  readonly storage?: Storage
  /** `remove` the folder once the directory has it all, or `keep` it as it is. */
  readonly original: 'remove' | 'keep'
  /** As `connect()` has it. Default `fail`. */
  readonly whenOlder?: 'fail' | 'upgrade'
  /** The version that has served it until now, for where the data do not tell. */
  readonly writtenBy?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (message: string) => void
  /** For tests: called when a step was done. */
  readonly onStep?: (step: TakeOverStep) => void
}

export interface TakenOver {
  readonly folder: string
  readonly storage: string
  /** `undefined`: a version that does not record itself. */
  readonly writtenBy: string | undefined
  readonly engine: EngineIdentity
  /** Of the folder. */
  readonly files: number
  readonly bytes: number
  readonly original: 'removed' | 'kept'
  /** True: one that had been killed was there, and only its end was left to do. */
  readonly resumed: boolean
}

/**
 * Takes the database in a folder over into the directory, with the password that it has. The next user of the directory has that database.
 *
 * Guarantee: killed at any step, either the folder is as it was, or the directory has all of it; the same call then begins anew, or does what is left.
 * It happens only while no server has the folder's database open and none can (SurrealDB's own lock is held), no server or guardian of the directory
 * runs and nobody has a slot of it. The user and the password were let in by a server on these data, as their owner, before anything was moved.
 * Unspecified: what is left of a call that was killed (`FOLDER.procref-…` beside the folder, `taking-over-…` in the directory) stays until the next one.
 * Throws, and nothing was changed: `NotADatabaseError`, `FolderInUseError`, `FolderPasswordError`, `FolderPlaceError`, `DatabasePresentError`,
 * `DataVersionUnknownError`, `DataEngineMismatchError`, `DatabaseDamagedError`, `NewerDataError`, `OlderDataError`, `UpgradeNeededError`,
 * `StillInUseError`, `GuardianRunsError`, what keeps the server from starting, and the signal's reason. `FolderChangedError`: see there.
 */
export async function takeOver(options: TakeOverOptions): Promise<TakenOver> {
  const { backend, onStep = () => {} } = options
  const paths = layout(options.dir)
  const path = realPathOfMissing(options.folder)
  // Before anything is made.
  if (readTakeover(paths.takeoverJson)?.folder !== path) {
    checkApart(lookAtFolder(path, options.storage), paths.root)
    if (options.credentials.password === '') throw new TypeError('credentials: a password that is empty is none')
  }
  secureDirectory(paths.root)
  return await whileServerless(backend.locks, paths, 'no database can be taken over meanwhile', async () => {
    onStep('locked')
    const { held } = await lookAtSlots(backend, paths.slots)
    if (held.length > 0) throw new StillInUseError(paths.root, held, 'End them first; then do it again.')
    for (const left of leftStages(paths.root)) await remove(options.temporaryBackend.locks, left)
    const begun = readTakeover(paths.takeoverJson)
    if (begun?.folder === path) return await finish(options, paths, begun)
    if (hasDatabase(paths)) throw new DatabasePresentError(paths.data)
    return await begin(options, paths, lookAtFolder(path, options.storage))
  })
}

async function begin(options: TakeOverOptions, paths: Layout, folder: Folder): Promise<TakenOver> {
  const { temporaryBackend, onStep = () => {}, onProgress = () => {} } = options
  const { locks } = temporaryBackend
  const driver = await options.driver(folder.storage)
  await driver.check?.()
  const engine = await engineOf(driver)
  const choice = { told: options.writtenBy, whenOlder: options.whenOlder ?? 'fail' }
  if (choice.told !== undefined) checkVersion(choice.told, { ...choice, folder, engine })
  else if (isUnrecorded(engine.version)) throw new DataVersionUnknownError(folder.path, engine.version)
  onProgress('waiting for what an earlier attempt has left')
  for (const left of leftWorkplaces(folder)) await remove(locks, left)
  const stage = makeStage(paths.root)
  const workplace = makeWorkplaceOr(folder, () => rmSync(stage, { recursive: true }))
  const service = { backend: temporaryBackend, driver, label: 'procref take-over', signal: options.signal }
  let taken: Takeover
  try {
    onProgress(`taking the lock of the database in ${folder.path}`)
    taken = await whileFolderHeld(folder, { ...service, dir: workplace }, async (verifyHeld) => {
      onStep('held')
      // Until now somebody may have written.
      const held = lookAtFolder(folder.path, folder.storage)
      onProgress(`copying ${held.files} files`)
      const staged = layout(stage)
      await copyDatabase(options, held, staged)
      onStep('copied')
      onProgress('starting a server on the copy')
      await whileServing({ ...service, dir: stage }, (http) => checkOwner(http, held, options.credentials.user)).catch(
        (error: unknown) => {
          throw aboutFolder(error, held, staged, options.credentials.user)
        },
      )
      const seen = writtenBy(logOf(staged), logOf(layout(workplace)), engine.version)
      const version = checkWritten(seen, { ...choice, folder: held, engine })
      onStep('proven')
      verifyHeld()
      if (lookAtFolder(folder.path, folder.storage).state !== held.state) throw changedMeanwhile(folder)
      const note = noteOf(held, version, options)
      writeTakeover(staged.takeoverJson, note)
      tell(paths, 'data-taking-over', note)
      onStep('noted')
      putInPlace(staged, paths)
      onStep('taken')
      closeToOthers(paths.database)
      verifyHeld()
      if (note.original === 'remove') moveAside(note, workplace)
      onStep('moved-away')
      return note
    })
  } catch (error) {
    // The first error is the one that counts; what cannot be removed now, the next call removes.
    await Promise.allSettled([remove(locks, stage), remove(locks, workplace)])
    throw error
  }
  await remove(locks, stage)
  await remove(locks, workplace)
  onStep('deleted')
  return end(paths, taken, 'at once')
}

function changedMeanwhile({ path }: Folder): Error {
  return new NotADatabaseError(path, 'was changed while it was copied', 'Do it again once nothing writes there.')
}

function makeWorkplaceOr(folder: Folder, undo: () => void): string {
  try {
    return makeWorkplace(folder)
  } catch (error) {
    undo()
    throw error
  }
}

/** What is left when all is in its place: the old folder, if it is still that one, and as it was. */
async function finish(options: TakeOverOptions, paths: Layout, note: Takeover): Promise<TakenOver> {
  const { temporaryBackend, onStep = () => {} } = options
  const { locks } = temporaryBackend
  const place = { path: note.folder, parent: dirname(note.folder), name: basename(note.folder) }
  closeToOthers(paths.database)
  for (const left of leftWorkplaces(place)) await remove(locks, left)
  if (note.original === 'remove' && isThatFolder(note)) {
    const driver = await options.driver(note.storage)
    const workplace = makeWorkplace(place)
    const service = { backend: temporaryBackend, driver, label: 'procref take-over', signal: options.signal }
    try {
      await whileFolderHeld(place, { ...service, dir: workplace }, async (verifyHeld) => {
        if (lookAtFolder(place.path, note.storage).state !== note.state)
          throw new FolderChangedError(place.path, paths.root)
        verifyHeld()
        moveAside(note, workplace)
        onStep('moved-away')
      })
    } catch (error) {
      await Promise.allSettled([remove(locks, workplace)])
      throw error
    }
    await remove(locks, workplace)
  }
  onStep('deleted')
  return end(paths, note, 'resumed')
}

function end(paths: Layout, note: Takeover, how: 'at once' | 'resumed'): TakenOver {
  const engine = readEngineRecord(paths.engineJson)
  if (engine === undefined) throw new Error(`unreachable: a server has written ${paths.engineJson}`)
  removeFile(paths.takeoverJson)
  tell(paths, 'data-taken-over', note)
  const { folder, storage, files, bytes } = note
  return {
    ...{ folder, storage, files, bytes, engine },
    writtenBy: note.writtenBy ?? undefined,
    original: note.original === 'remove' ? 'removed' : 'kept',
    resumed: how === 'resumed',
  }
}

/** Files of both storages that never change once they are there. All others are written on, or could be. */
const NEVER_CHANGES = /\.(sst|blob)$/

async function copyDatabase(
  { original, credentials, signal }: TakeOverOptions,
  folder: Folder,
  staged: Layout,
): Promise<void> {
  secureDirectory(staged.data)
  await copyTree(folder.path, staged.database, {
    // Who keeps the folder goes on with it, and should share nothing with us.
    linked: (name) => original === 'remove' && NEVER_CHANGES.test(name),
    ...(signal && { signal }),
  })
  const { user, password } = credentials
  createFileDurably(staged.credentialsJson, `${JSON.stringify({ user, password })}\n`, newNonce())
}

async function engineOf(driver: ServerDriver): Promise<EngineIdentity> {
  const engine = driver.durable ? await driver.engine?.() : undefined
  if (engine?.engine !== 'surrealdb') throw new TypeError(`driver: ${driver.name} opens no database of SurrealDB`)
  return engine
}

function logOf(paths: Layout): string {
  return existsSync(paths.serverLog) ? readFileSync(paths.serverLog, 'utf8') : ''
}

function noteOf(folder: Folder, version: string | null, { original }: TakeOverOptions): Takeover {
  const { path, state, storage, files, bytes } = folder
  const { dev, ino } = statSync(path, { bigint: true })
  return {
    folder: path,
    dev: String(dev),
    ino: String(ino),
    state,
    storage,
    files,
    bytes,
    writtenBy: version,
    original,
  }
}

function isThatFolder({ folder, dev, ino }: Takeover): boolean {
  const stat = lstatSync(folder, { bigint: true, throwIfNoEntry: false })
  return stat !== undefined && String(stat.dev) === dev && String(stat.ino) === ino
}

function hasDatabase({ database }: Layout): boolean {
  try {
    return readdirSync(database).length > 0
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw translateErrno(error, 'look at', database)
  }
}

/** Guardians that come and find `guardian.lock` held have made an empty folder for data by then: so often at most. */
const MAX_EMPTY = 100

/** The one step at which the database becomes the directory's. */
function putInPlace(staged: Layout, paths: Layout): void {
  syncDirectory(staged.data)
  for (let attempt = 0; attempt < MAX_EMPTY; attempt++) {
    try {
      if (existsSync(paths.data)) {
        if (hasDatabase(paths)) throw new DatabasePresentError(paths.data)
        renameSync(paths.data, join(staged.root, `empty-${attempt}`))
      }
      renameSync(staged.data, paths.data)
      syncDirectory(paths.root)
      return
    } catch (error) {
      if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST')
        throw translateErrno(error, 'replace', paths.data)
    }
  }
  throw new DatabasePresentError(paths.data)
}

/** Those that got a second name have the mode that they had. */
function closeToOthers(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) closeToOthers(path)
    if (!entry.isSymbolicLink()) chmodSync(path, entry.isDirectory() ? 0o700 : 0o600)
  }
}

/** Caller: holds the lock of its database. */
function moveAside({ folder }: Takeover, workplace: string): void {
  try {
    renameSync(folder, join(workplace, OLD_FOLDER))
    syncDirectory(dirname(folder))
  } catch (error) {
    throw translateErrno(error, 'move away', folder)
  }
}

function tell(paths: Layout, event: 'data-taking-over' | 'data-taken-over', note: Takeover): void {
  const { folder, storage, files, bytes, original } = note
  new Journal(paths.journal).append({ event, reason: 'request', evidence: { folder, storage, files, bytes, original } })
}
