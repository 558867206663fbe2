import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PIN_FILE } from '@procref/core'
import { KNOWN_BACKENDS } from '../../backends.ts'
import type { Check, Finding } from '../check.ts'
import { lookAtEntry } from '../entry.ts'
import { messageOf } from '../message.ts'

/** `protocol.json`: readable, of a protocol that this version knows. */
export const protocol: Check = {
  id: 'protocol',
  looksAt: 'slots/protocol.json: which lock protocol, how many slots',
  where: 'inside',
  examine({ paths, pin }) {
    const path = join(paths.slots, PIN_FILE)
    // Anything else at its path is what the check of the slot files says.
    if (lookAtEntry(paths.slots, 'directory').kind === 'missing')
      return { found: 'nobody has used the slots yet', findings: [] }
    if ('error' in pin) return { found: 'cannot be understood', findings: [unreadable(path, pin.error)] }
    if (pin.value === undefined) return { found: 'nobody has used the slots yet', findings: [] }
    const found = `${pin.value.protocol}, ${pin.value.slots} slots`
    if (!existsSync(path)) return { found: `none; ${found}`, findings: [ofSeed(paths.slots)] }
    if (!isKnown(pin.value.protocol)) return { found, findings: [unknown(path, pin.value.protocol)] }
    return { found, findings: [] }
  },
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

function ofSeed(slots: string): Finding {
  return {
    code: 'no-protocol-file',
    severity: 'note',
    path: slots,
    found: 'There are slot files, and no protocol.json: a program of the original design made them.',
    why: 'Such a directory counts as locked with flock, with 100 slots or as many as there are files for. procref and that program exclude each other in it.',
    remedy: 'Nothing: the next connect() writes protocol.json.',
  }
}
