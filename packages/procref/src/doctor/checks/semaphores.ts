import { closeSync, constants, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '@procref/core'
import type { Check, Examination, Finding } from '../check.ts'
import { ofEachPool, type PoolSeen } from '../pools.ts'

/** Written by the backend `sysv`, beside the slots. */
const RECORD = 'sysv.json'
/** Written by the backend `hybrid`: a binary file that begins with what never changes, the name of its semaphores among it. */
const TABLE = 'hybrid.table'
const BEGINNING_BYTES = 2048
const SHARED_MEMORY = '/dev/shm'

interface SetNamed {
  readonly id: number
  readonly bootId: string
  readonly ipcNamespace: string
}

/** Semaphores outlive whoever made them: are those that the directory names still its own? */
export const semaphores: Check = {
  id: 'semaphores',
  looksAt: 'kernel semaphores that files of the directory name',
  where: 'inside',
  examine: (seen) => ofEachPool(seen, lookAtNamed),
}

function lookAtNamed({ pin, slotsDir }: PoolSeen): Examination {
  if (process.platform !== 'linux') return { found: 'none are named', findings: [] }
  const protocol = 'value' in pin ? pin.value?.protocol : undefined
  const looks = [
    lookAtSet(join(slotsDir, RECORD), protocol === 'sysv'),
    lookAtTable(join(slotsDir, TABLE), protocol === 'hybrid'),
  ].filter((look) => look !== undefined)
  return {
    found: looks.length === 0 ? 'none are named' : looks.map(({ found }) => found).join('; '),
    findings: looks.flatMap(({ findings }) => findings),
  }
}

/** A System V set. `undefined`: none is named. */
function lookAtSet(path: string, used: boolean): Examination | undefined {
  if (!isFile(path)) return undefined
  const named = read(path)
  if (named === undefined) return { found: 'cannot be understood', findings: used ? [damaged(path)] : [] }
  const exists = named.bootId === bootId() && named.ipcNamespace === ipcNamespace() && setsHere().includes(named.id)
  return {
    found: `set ${named.id}${exists ? '' : ', which is gone'}`,
    findings: [...(used ? elsewhere(path, named) : []), ...(!used && exists ? [unused(path, named.id)] : [])],
  }
}

/** POSIX semaphores, whose name is at the beginning of a permit table (`hybrid.table`). */
function lookAtTable(path: string, used: boolean): Examination | undefined {
  if (!isFile(path)) return undefined
  const name = /\/(prf-[0-9a-f]{24})\0/.exec(beginningOf(path))?.[1]
  const files = name === undefined ? [] : readdirSync(SHARED_MEMORY).filter((file) => file.startsWith(`sem.${name}-`))
  const found = files.length === 0 ? 'none of the permit table' : files.join(', ')
  return { found, findings: used || files.length === 0 ? [] : [unusedFiles(path, files)] }
}

function elsewhere(path: string, { ipcNamespace: namespace, bootId: boot }: SetNamed): readonly Finding[] {
  // No semaphore outlives a boot: whatever it names, nobody holds anything there.
  if (boot !== bootId() || namespace === ipcNamespace()) return []
  return [
    {
      code: 'semaphores-elsewhere',
      severity: 'problem',
      path,
      found: `${path} names semaphores of the IPC namespace ${namespace}, and this process is in ${ipcNamespace()}.`,
      why: 'Slots here would not exclude the holders there, so connect() is refused.',
      remedy: `Start the programs with one IPC namespace (--ipc=host, --ipc=container:…), or use another backend. If nothing of the other container is left: end what uses this directory, then delete ${path}.`,
    },
  ]
}

function unused(path: string, id: number): Finding {
  return {
    code: 'semaphores-left-over',
    severity: 'note',
    path,
    found: `${path} names the semaphore set ${id}, and the slots of this directory are not locked with it.`,
    why: 'Somebody changed the protocol of the directory. The set takes one of the few places that the kernel has (`ipcs -ls`) until the next boot.',
    remedy: `If no program of the old kind runs any more: \`ipcrm -s ${id}\`, and delete ${path}.`,
  }
}

function unusedFiles(path: string, files: readonly string[]): Finding {
  const all = files.map((file) => join(SHARED_MEMORY, file)).join(' ')
  return {
    code: 'semaphores-left-over',
    severity: 'note',
    path,
    found: `${path} names the semaphores ${all}, and the slots of this directory are not locked with them.`,
    why: 'Somebody changed the protocol of the directory. They stay until the next boot, and do no harm.',
    remedy: `If no program of the old kind runs any more: \`rm ${all} ${path}\`.`,
  }
}

function damaged(path: string): Finding {
  return {
    code: 'semaphores-damaged',
    severity: 'problem',
    path,
    found: `${path} does not name a semaphore set.`,
    why: 'It leads to the slots. A process that opened it before may hold some, so it is not replaced by itself.',
    remedy: 'End every program that uses this directory, then delete the file.',
  }
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function beginningOf(path: string): string {
  const bytes = Buffer.alloc(BEGINNING_BYTES)
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}

function read(path: string): SetNamed | undefined {
  try {
    const { id, bootId, ipcNamespace } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    const valid = Number.isInteger(id) && typeof bootId === 'string' && typeof ipcNamespace === 'string'
    return valid ? { id: id as number, bootId, ipcNamespace } : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || errnoOf(error) !== undefined) return undefined
    throw error
  }
}

/** The ids of all sets of this IPC namespace: the second column. */
function setsHere(): readonly number[] {
  const rows = readFileSync('/proc/sysvipc/sem', 'latin1').trim().split('\n').slice(1)
  return rows.map((row) => Number(row.trim().split(/\s+/)[1]))
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}

function ipcNamespace(): string {
  return readlinkSync('/proc/self/ns/ipc')
}
