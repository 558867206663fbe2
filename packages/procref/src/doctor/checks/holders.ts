import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describeHolder, type FileLocker, identify, PIN_FILE, type SlotBackend, type SlotInfo } from '@procref/core'
import { lookAtSlots, type SlotsSeen } from '@procref/lifecycle'
import type { Check, Examination, Finding } from '../check.ts'
import { isOurs, lookAtEntry } from '../entry.ts'
import { ofEachPool, type PoolSeen } from '../pools.ts'
import { probeSlotFiles } from '../slot-files.ts'

/** Who holds slots now: in `slots/`, this is what keeps a server up. */
export const holders: Check = {
  id: 'holders',
  looksAt: 'who holds slots',
  where: 'inside',
  examine: (seen) => ofEachPool(seen, lookAtHolders),
}

async function lookAtHolders(pool: PoolSeen): Promise<Examination> {
  const { of, pin, selection, locks } = pool
  // What is wrong with them is said by their own checks; without them nobody can look.
  if ('error' in pin || 'error' in selection || locks === undefined) return { found: 'cannot be told', findings: [] }
  if (pin.value === undefined) return { found: 'nobody', findings: [] }
  const { backend } = selection.value
  if ((backend.protocol ?? backend.name) !== pin.value.protocol) {
    return { found: `cannot be told with ${backend.name}`, findings: [] }
  }
  const { size = pin.value.slots, held } = await lookAt(pool.folder, backend, locks)
  const full = held.length >= size ? [exhausted(of, size, held)] : []
  return { found: describe(held, size), findings: [...full, ...held.flatMap((info) => judge(of, info))] }
}

async function lookAt(folder: string, backend: SlotBackend, locks: FileLocker): Promise<SlotsSeen> {
  // Opening the pool would make protocol.json where the original program made the slots.
  if (existsSync(join(folder, PIN_FILE))) return await lookAtSlots(backend, folder)
  return { held: probeSlotFiles(folder, locks) }
}

function describe(held: readonly SlotInfo[], size: number): string {
  const [first] = held
  if (first === undefined) return `nobody (${size} slots)`
  const more = held.length === 1 ? '' : ` and ${held.length - 1} more; \`procref ps\` lists them`
  return `${held.length} of ${size}: ${describeHolder(first)}${more}`
}

function exhausted(of: PoolSeen['of'], size: number, held: readonly SlotInfo[]): Finding {
  return {
    code: 'all-slots-in-use',
    severity: 'warning',
    found: `All ${size} slots${of === 'own' ? '' : ' for servers elsewhere'} are in use.`,
    why: 'Whoever comes next is refused (exit code 75), or waits if it was told to.',
    remedy: `End a program that needs none any more (${held.slice(0, 3).map(describeHolder).join('; ')}${held.length > 3 ? '; …' : ''}).`,
  }
}

/** A slot that is held by nobody who can be seen is explained, because people look for that process. */
function judge(of: PoolSeen['of'], info: SlotInfo): readonly Finding[] {
  const { slot, pid, path } = info
  if (pid !== undefined && isThere(pid)) return []
  // What is no plain file of ours counts as held, and is reported by the check of the slot files.
  if (path !== undefined && !isPlain(path)) return []
  const who =
    pid === undefined
      ? 'its file does not say by whom'
      : `by process ${pid} as its file says, which is not to be seen from here`
  return [
    {
      code: 'holder-not-seen',
      severity: 'note',
      ...(path !== undefined && { path }),
      found: `Slot ${slot} is held, ${who}.`,
      why: `The lock decides, and it is held: ${of === 'own' ? 'the server stays up for it' : 'nobody else gets this slot'}. Its holder is in another container, or is a program that inherited the slot (\`procref run\`, a child) from one that has ended.`,
      remedy: `Nothing, if such a program runs. Else \`fuser ${path ?? 'the slot file'}\` shows, as root, who has the file open.`,
    },
  ]
}

function isPlain(path: string): boolean {
  return isOurs(lookAtEntry(path, 'file'))
}

function isThere(pid: number): boolean {
  try {
    return identify(pid) !== undefined
  } catch {
    // Where processes cannot be identified nothing can be said against this one.
    return true
  }
}
