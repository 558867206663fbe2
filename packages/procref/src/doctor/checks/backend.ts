import { filesystemOf, type SlotBackend } from '@procref/core'
import { resolveBackend, speakersOf } from '../../backends.ts'
import type { Check, Finding } from '../check.ts'
import { lookAtEntry } from '../entry.ts'
import { messageOf } from '../message.ts'
import type { Surroundings } from '../surroundings.ts'

/** What makes the slots here: which backend, why that one, and does it work? */
export const backend: Check = {
  id: 'backend',
  looksAt: 'which backend makes the slots, and whether it works here',
  where: 'anywhere',
  async examine(seen) {
    if ('error' in seen.backend) {
      return { found: 'none', findings: [unknown(messageOf(seen.backend.error))] }
    }
    const { value } = seen.backend
    const found = `${value.name}: ${reasonFor(value, seen)}`
    if (!(await canBeTried(seen))) return { found, findings: [] }
    const support = await value.support(seen.paths.slots)
    if (!support.supported) return { found, findings: [unusable(value, support.reason)] }
    return { found, findings: await secondBest(value, seen) }
  },
}

/** Why a plain command uses this backend here, in words. */
function reasonFor({ name, protocol = name }: SlotBackend, { askedBackend, pin }: Surroundings): string {
  if (askedBackend !== undefined) return 'asked for with --backend'
  if (process.env.PROCREF_BACKEND) return 'asked for with PROCREF_BACKEND'
  const [best] = speakersOf(protocol)
  const fit =
    'value' in pin && pin.value !== undefined
      ? `the directory is locked with ${pin.value.protocol}`
      : 'the directory is new'
  return name === best ? `${fit}, and it is the best for that` : `${fit}, and ${best} is not installed`
}

/** A trial would find the same faults again that the checks of the directory, the file system and the protocol report. */
async function canBeTried({ paths, root, pin }: Surroundings): Promise<boolean> {
  if ('error' in pin) return false
  if (pin.value !== undefined && speakersOf(pin.value.protocol).length === 0) return false
  const sound = [root, lookAtEntry(paths.slots, 'directory')].every(
    (entry) =>
      entry.kind === 'missing' || entry.kind === 'fine' || (entry.kind === 'open-to-others' && !entry.writable),
  )
  const { kind } = await filesystemOf(paths.root)
  return sound && kind !== 'network' && kind !== 'pass-through'
}

/** Another backend of the same protocol would be better, and its part is missing. */
async function secondBest(
  { name, protocol = name }: SlotBackend,
  { paths, askedBackend }: Surroundings,
): Promise<readonly Finding[]> {
  const [best] = speakersOf(protocol)
  if (best === undefined || best === name || askedBackend !== undefined || process.env.PROCREF_BACKEND) return []
  const support = await (await resolveBackend(best, paths.slots)).support(paths.slots)
  if (support.supported) return []
  return [
    {
      code: 'second-best-backend',
      severity: 'note',
      found: `${name} is used, because ${best} is not to be had: ${support.reason}`,
      why: `Both promise the same and work together; with ${best} the kernel wakes those who wait, and the others look twice a second.`,
      remedy: 'Nothing, if that is soon enough.',
    },
  ]
}

function unknown(message: string): Finding {
  return {
    code: 'unknown-backend',
    severity: 'problem',
    found: message,
    why: 'Without a backend no lock can be taken or looked at.',
    remedy: 'Correct --backend or PROCREF_BACKEND, or leave it out.',
  }
}

function unusable({ name }: SlotBackend, reason: string): Finding {
  return {
    code: 'backend-unusable',
    severity: 'problem',
    found: `${name} cannot be used here: ${reason}`,
    why: 'Nobody can claim a slot, so nobody can connect.',
    remedy:
      'See to what the message says, or ask for another backend that speaks the same protocol (`--backend`, PROCREF_BACKEND).',
  }
}
