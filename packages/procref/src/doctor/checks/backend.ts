import { accessSync, constants } from 'node:fs'
import { filesystemOf, type Selection } from '@procref/core'
import { KNOWN_BACKENDS } from '../../backends.ts'
import { describeSurroundings } from '../../surroundings.ts'
import type { Check, Examination, Finding } from '../check.ts'
import { lookAtEntry } from '../entry.ts'
import type { Surroundings } from '../look-around.ts'
import { messageOf } from '../message.ts'
import { elsewhereFound, type PoolSeen } from '../pools.ts'

/** What makes the slots here: which backend, why that one, and does it work? */
export const backend: Check = {
  id: 'backend',
  looksAt: 'which backend makes the slots, why, and whether it works here',
  where: 'anywhere',
  async examine(seen) {
    const own = await lookAtOwn(seen)
    const elsewhere = await lookAtElsewhere(seen)
    if (elsewhere === undefined) return own
    return {
      found: `${own.found}; ${elsewhereFound(elsewhere.found)}`,
      findings: [...own.findings, ...elsewhere.findings],
    }
  },
}

async function lookAtOwn(seen: Surroundings): Promise<Examination> {
  const { selection, paths } = seen
  if ('error' in selection) return { found: 'cannot be chosen', findings: [unknown(messageOf(selection.error))] }
  const { backend, reason } = selection.value
  if (!(await canBeTried(seen, seen))) return { found: backend.name, findings: [] }
  const found = `${reason} (${await describeSurroundings(paths.slots, backend.guarantees)})`
  const support = await backend.support(paths.slots)
  return {
    found,
    findings: support.supported ? secondBest(selection.value) : [unusable(seen, selection.value, support.reason)],
  }
}

/** Whether it works, for slots that are there. What is true of any on this machine is said of the directory's own. */
async function lookAtElsewhere(seen: Surroundings): Promise<Examination | undefined> {
  const pool = seen.elsewhere
  if (pool === undefined || 'error' in pool.selection) return undefined
  const { value: selection } = pool.selection
  const found = selection.backend.name
  if (!(await canBeTried(seen, pool))) return { found, findings: [] }
  const support = await selection.backend.support(pool.folder)
  return { found, findings: support.supported ? [] : [unusable(pool, selection, support.reason)] }
}

/** A trial would find the same faults again that the checks of the directory, the disk, the file system and the protocol report. */
async function canBeTried({ paths, root }: Surroundings, { folder, pin }: PoolSeen): Promise<boolean> {
  if ('error' in pin) return false
  const protocol = pin.value?.protocol
  if (protocol !== undefined && !KNOWN_BACKENDS.some((known) => known.protocol === protocol)) return false
  const sound = [root, lookAtEntry(folder, 'directory')].every(
    (entry) =>
      entry.kind === 'missing' || entry.kind === 'fine' || (entry.kind === 'open-to-others' && !entry.writable),
  )
  const { kind } = await filesystemOf(paths.root)
  return sound && isWritable(paths.root) && kind !== 'network' && kind !== 'pass-through'
}

/** Also where it has to be made first: then whoever makes it finds out. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

function secondBest({ backend: { name }, rejected }: Selection): readonly Finding[] {
  if (rejected.length === 0) return []
  const reasons = rejected.map((other) => `\nnot ${other.name}: ${other.reason}`).join('')
  return [
    {
      code: 'second-best-backend',
      severity: 'note',
      found: `${name} is used, because what is better does not work here:${reasons}`,
      why: 'All that speak the protocol of a directory work together. With the better ones the kernel wakes whoever waits; others look again and again.',
      remedy: `Nothing, if that is soon enough; PROCREF_BACKEND=${name} chooses it on purpose.`,
    },
  ]
}

function unknown(message: string): Finding {
  return {
    code: 'unknown-backend',
    severity: 'problem',
    found: message,
    why: 'Without a backend no slot can be claimed, so nobody can connect.',
    remedy: 'Correct --backend or PROCREF_BACKEND, or leave it out.',
  }
}

function unusable({ of, folder }: PoolSeen, { backend, rejected }: Selection, reason: string): Finding {
  const others = rejected.filter(({ name }) => name !== backend.name)
  return {
    code: 'backend-unusable',
    severity: 'problem',
    ...(of === 'elsewhere' && { path: folder }),
    found: `${backend.name} cannot be used here: ${reason}${others.map((other) => `\nnot ${other.name} either: ${other.reason}`).join('')}`,
    why: `Nobody can claim a slot, so nobody can connect${of === 'own' ? '' : ' to a server elsewhere'}.`,
    remedy:
      of === 'own'
        ? 'Do what the message says, or ask for another backend (`--backend`, PROCREF_BACKEND) that speaks the protocol of the directory.'
        : 'Do what the message says, or give connect() another backend that speaks the protocol of this folder.',
  }
}
