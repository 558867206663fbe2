import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, identify } from '@procref/core'
import { findSets, readSet, removeSet, type SemaphoreSet } from './semaphore-sets.ts'

/**
 * Something that a program on the crate procref 0.1.0 has left. It keeps `NAME.json` (pid and port of its server) in ~/.procref, and on
 * Linux counts its users in a System V semaphore set that it never removes. The files `slot_NN.lock` of the seed's design are slots, which are moved.
 */
export interface SeedRemain {
  readonly kind: 'service-record' | 'semaphore-set'
  /** The service's name in the crate. */
  readonly service: string
  /** The path of the record, the id of the set (`ipcs -s`). */
  readonly at: string
  /** `dead`: proven, and only then it is removed. */
  readonly state: 'dead' | 'in-use' | 'unknown'
  /** What was found and what it proves, in words for people. */
  readonly explanation: string
  readonly removed: boolean
}

/** Names of ours in the same folder; none has the fields of a record of the crate, but a person reads this list. */
const OURS: ReadonlySet<string> = new Set(['server.json', 'request.json', 'config.json'])
const KEY_PATH = '/tmp'

/** Looks for what the crate has left in `root`; removes, with `clean`, what is proven to be dead, and nothing else. */
export function handleSeedRemains(root: string, { clean }: { readonly clean: boolean }): readonly SeedRemain[] {
  return servicesIn(root).flatMap(({ name, path, pid }) => {
    const sets = findSets(keyOf(name)).map((set) => judgeSet(name, set))
    const record = judgeRecord(name, path, pid)
    // All or nothing: a record tells a living program where its server is, so it stays while one of the sets is not proven dead, and they with it.
    const allDead = [record, ...sets].every(({ state }) => state === 'dead')
    return [...sets, record].map((remain) => (clean && allDead ? remove(name, pid, remain) : remain))
  })
}

interface Service {
  readonly name: string
  readonly path: string
  readonly pid: number
}

/** Files with exactly the shape that `ServiceInfoFile` of the crate has. */
function servicesIn(root: string): readonly Service[] {
  return list(root).flatMap((file) => {
    if (!file.endsWith('.json') || OURS.has(file)) return []
    const path = join(root, file)
    const fields = parse(path)
    const { pid, port, metadata } = fields
    const isRecord =
      Number.isInteger(pid) &&
      Number(pid) > 0 &&
      Number.isInteger(port) &&
      typeof metadata === 'object' &&
      metadata !== null
    return isRecord ? [{ name: file.slice(0, -'.json'.length), path, pid: Number(pid) }] : []
  })
}

/** As the crate makes it: ftok("/tmp", 1 + the sum of the name's bytes, modulo 256). Other names may have the same key. */
export function keyOf(name: string): number {
  const project = [...Buffer.from(name)].reduce((sum, byte) => (sum + byte) & 0xff, 1)
  const { dev, ino } = statSync(KEY_PATH)
  return ((project & 0xff) << 24) | ((dev & 0xff) << 16) | (ino & 0xffff)
}

function judgeRecord(service: string, at: string, pid: number): SeedRemain {
  const base = { kind: 'service-record', service, at, removed: false } as const
  if (isRunning(pid)) {
    const explanation = `names pid ${pid}, and a process with this pid runs: the server, or another process that was given its number`
    return { ...base, state: 'unknown', explanation }
  }
  return { ...base, state: 'dead', explanation: `names pid ${pid}, and no process has this pid` }
}

function judgeSet(service: string, { id, uid, mode, semaphores }: SemaphoreSet): SeedRemain {
  const base = { kind: 'semaphore-set', service, at: String(id), removed: false } as const
  const unknown = (explanation: string): SeedRemain => ({ ...base, state: 'unknown', explanation })
  if (uid !== process.geteuid?.()) return unknown(`belongs to user ${uid}, so it is not ours to remove`)
  if (mode !== 0o666 || semaphores === undefined)
    return unknown('has the key of this service, but is not what the crate makes, or cannot be read')
  const [references, lock] = semaphores
  if (semaphores.length !== 2 || references === undefined || lock === undefined) {
    return unknown(`has the key of this service, and ${semaphores.length} semaphores where the crate makes 2`)
  }
  // The crate changes both with SEM_UNDO only: the kernel takes back what a process that ended had, so what is left is held by a living one.
  if (references.value !== 0 || lock.value !== 1) {
    const explanation = `counts ${references.value} users, its lock is ${lock.value === 1 ? 'free' : 'taken'}: what ended processes had the kernel has taken back, so somebody lives`
    return { ...base, state: 'in-use', explanation }
  }
  const last = semaphores.map(({ pid }) => pid).filter((pid) => pid !== 0 && isRunning(pid))
  if (last.length > 0)
    return unknown(`counts no users, but pid ${last.join(', ')}, the last that changed it, runs and may have it open`)
  const explanation =
    'counts no users, its lock is free, and the processes that changed it last have ended. (Whether another one has it open without ' +
    'using it the kernel does not know; such a one gets an error at its next call.)'
  return { ...base, state: 'dead', explanation }
}

/** Judged once more right before: what is in use by now stays. */
function remove(service: string, pid: number, remain: SeedRemain): SeedRemain {
  if (remain.kind === 'service-record') {
    if (isRunning(pid)) return judgeRecord(service, remain.at, pid)
    rmSync(remain.at, { force: true })
    return { ...remain, removed: true }
  }
  const set = readSet(keyOf(service), Number(remain.at))
  if (set === undefined) return { ...remain, removed: true }
  const now = judgeSet(service, set)
  return now.state === 'dead' && removeSet(set.id) ? { ...now, removed: true } : now
}

function isRunning(pid: number): boolean {
  return identify(pid) !== undefined
}

function list(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

function parse(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch (error) {
    // Not a record of the crate, then.
    if (error instanceof SyntaxError || errnoOf(error) !== undefined) return {}
    throw error
  }
}
