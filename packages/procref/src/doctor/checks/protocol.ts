import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PIN_FILE } from '@procref/core'
import { KNOWN_BACKENDS } from '../../backends.ts'
import type { Check, Examination, Finding } from '../check.ts'
import { lookAtEntry } from '../entry.ts'
import { messageOf } from '../message.ts'
import { ofEachPool, type PoolSeen } from '../pools.ts'

/** `protocol.json` of each pool: readable, of a protocol that this version knows. */
export const protocol: Check = {
  id: 'protocol',
  looksAt: 'protocol.json in slots/ and external/: which lock protocol, how many slots',
  where: 'inside',
  examine: (seen) => ofEachPool(seen, lookAtPin),
}

function lookAtPin({ of, folder, pin }: PoolSeen): Examination {
  const path = join(folder, PIN_FILE)
  // Anything else at its path is what the check of the slot files says.
  if (lookAtEntry(folder, 'directory').kind === 'missing')
    return { found: 'nobody has used the slots yet', findings: [] }
  if ('error' in pin) return { found: 'cannot be understood', findings: [unreadable(path, pin.error)] }
  if (pin.value === undefined) return { found: 'nobody has used the slots yet', findings: [] }
  const found = `${pin.value.protocol}, ${pin.value.slots} slots`
  if (!existsSync(path)) return { found: `none; ${found}`, findings: [withoutPin(of, folder)] }
  if (!isKnown(pin.value.protocol)) return { found, findings: [unknown(path, pin.value.protocol)] }
  return { found, findings: [] }
}

function isKnown(protocol: string): boolean {
  return KNOWN_BACKENDS.some((known) => known.protocol === protocol)
}

function unreadable(path: string, error: unknown): Finding {
  return {
    code: 'protocol-unreadable',
    severity: 'problem',
    path,
    found: messageOf(error),
    why: 'It says how the slots are locked. Who guesses wrong shares the slots with programs that do not see its locks, so nobody opens them.',
    remedy:
      'If a newer procref wrote it, use that one. If it is damaged: end every program that uses the directory, then delete the file.',
  }
}

function unknown(path: string, name: string): Finding {
  return {
    code: 'unknown-protocol',
    severity: 'problem',
    path,
    found: `The slots are locked with the protocol "${name}", which this version of procref does not know.`,
    why: 'Two ways of locking do not exclude each other, so the directory is refused.',
    remedy: 'Use the version of procref, or the program, that made it.',
  }
}

/** The original program never made slots for servers elsewhere. */
function withoutPin(of: PoolSeen['of'], folder: string): Finding {
  return {
    code: 'no-protocol-file',
    severity: 'note',
    path: folder,
    found: `There are slot files, and no protocol.json: ${of === 'own' ? 'a program of the original design made them' : 'somebody has deleted it'}.`,
    why:
      'Such a directory counts as locked with flock, with 100 slots or as many as there are files for. ' +
      (of === 'own'
        ? 'procref and that program exclude each other in it.'
        : 'Programs that lock its slots in another way, and are still there, would not be seen.'),
    remedy:
      of === 'own'
        ? 'Nothing: the next connect() writes protocol.json.'
        : `Nothing, if the slots were locked with flock, as they are unless another backend was asked for: the next connect() writes protocol.json. Else end every program that uses a server elsewhere, then delete ${folder}.`,
  }
}
