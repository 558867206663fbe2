import { randomBytes } from 'node:crypto'
import { linkSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type FileLocker, translateErrno } from '@procref/core'
import { layout } from '../state/layout.ts'
import { FolderPlaceError } from './errors.ts'
import type { Folder } from './folder.ts'
import { ended } from './while-serving.ts'

/** `taking-over-<16 hexadecimal digits>` in the directory: where the database becomes one of procref's. */
const STAGE = /^taking-over-[0-9a-f]{16}$/

/** Where the old folder goes, in its workplace, before it is deleted. */
export const OLD_FOLDER = 'old'

/** A new folder in the directory, on whose file system it has to be. */
export function makeStage(root: string): string {
  const path = join(root, `taking-over-${newName()}`)
  mkdirSync(path, { mode: 0o700 })
  return path
}

/** A new folder beside the one that is taken over, and on its file system. Throws `FolderPlaceError`. */
export function makeWorkplace(folder: Pick<Folder, 'path' | 'parent' | 'name'>): string {
  const path = join(folder.parent, `${folder.name}.procref-${newName()}`)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (cause) {
    throw new FolderPlaceError(folder.path, `No folder can be made in ${folder.parent}`, { cause })
  }
  return path
}

/** Gives the file a second name in another folder. Throws `FolderPlaceError` where there are no hard links. */
export function secondName(folder: Pick<Folder, 'path'>, from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (cause) {
    throw new FolderPlaceError(folder.path, `${from} cannot be given a second name beside its folder`, { cause })
  }
}

/** Stages in the directory of take-overs that were killed. Caller: removes them only with `guardian.lock` held. */
export function leftStages(root: string): readonly string[] {
  return namesIn(root)
    .filter((name) => STAGE.test(name))
    .map((name) => join(root, name))
}

/** Workplaces beside the folder of take-overs that were killed. */
export function leftWorkplaces({ parent, name }: Pick<Folder, 'parent' | 'name'>): readonly string[] {
  const isOne = (other: string): boolean =>
    other.startsWith(`${name}.procref-`) && /^[0-9a-f]{16}$/.test(other.slice(name.length + '.procref-'.length))
  return namesIn(parent)
    .filter(isOne)
    .map((other) => join(parent, other))
}

/** Waits until nothing runs there, then deletes it. */
export async function remove(locks: FileLocker, path: string): Promise<void> {
  await ended(locks, layout(path))
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    throw translateErrno(error, 'delete', path)
  }
}

function newName(): string {
  return randomBytes(8).toString('hex')
}

/** Links among them are none of ours. */
function namesIn(path: string): readonly string[] {
  return readdirSync(path).filter((name) => lstatSync(join(path, name), { throwIfNoEntry: false })?.isDirectory())
}
