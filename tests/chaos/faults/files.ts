import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from '../stage.ts'
import { between, type Fault } from './fault.ts'

/** One slot file, or the folder: a holder keeps its lock, and claims another one when it notices. */
export const deleteSlots: Fault = {
  explains: [
    'PROCREF_LEASE_LOST',
    'PROCREF_SLOT_LOST',
    'PROCREF_SLOT_FILE_UNSTABLE',
    'PROCREF_NOT_FOUND',
    // With the folder, between the making and the reading of its protocol.json.
    'PROCREF_PROTOCOL_UNREADABLE',
    // Half deleted, slot files without that, it looks like one of the original program, which has 100 slots.
    'PROCREF_POOL_SIZE_MISMATCH',
  ],
  inject(stage, [way = 0, which]) {
    const slots = listed(join(stage.dir, 'slots')).filter((name) => /^slot_/.test(name))
    if (way < 0.3) remove(stage, 'slots')
    else remove(stage, ...slots.slice(0, between(1, slots.length, which)).map((name) => join('slots', name)))
  },
}

/** Those of the elections. A guardian whose lock is gone is not the guardian any more: it stops its own server, and writes nothing. */
export const deleteLocks: Fault = {
  leavesRecord: true,
  endsServer: true,
  explains: ['PROCREF_LEASE_LOST', 'PROCREF_SERVER_FAILED', 'PROCREF_SERVER_LOCK_HELD', 'PROCREF_DIRECTORY_GONE'],
  inject(stage, [way = 0]) {
    const locks = [...listed(stage.dir), 'data/server.lock'].filter((name) => name.endsWith('.lock'))
    const kinds = [/^guardian/, /^alive/, /^start/, /./]
    const kind = kinds[Math.floor(way * kinds.length)] ?? /./
    // Whoever is the guardian notices with its next beat, or its next act, and serves nobody anew until then; the next one has locks of its own.
    if (!kind.test('start.lock') || kind.test('other')) stage.excuses.strike(...stage.servers(), ...stage.guardians())
    remove(stage, ...locks.filter((name) => kind.test(name)))
  },
}

/** What clients and people read. The guardian writes its record again; of the journal the past is gone. */
export const deleteState: Fault = {
  // With the locks: then nobody knows any more whose server it is that still has the data.
  explains: ['PROCREF_DATABASE_LOCKED'],
  inject(stage, [way = 0]) {
    remove(stage, ...(way < 0.6 ? ['server.json'] : way < 0.8 ? ['journal.ndjson'] : ['server.json', 'journal.ndjson']))
  },
}

function remove(stage: Stage, ...names: readonly string[]): void {
  if (names.length === 0) return
  stage.trace.add(`deleted: ${names.join(', ')}`)
  for (const name of names) removeWhole(join(stage.dir, name))
}

const TRIES = 1_000

/** Also where others make files in it all the time, which rmSync() itself does not look for again. */
function removeWhole(path: string): void {
  for (let n = 1; ; n++) {
    try {
      rmSync(path, { recursive: true, force: true })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || n >= TRIES) throw error
    }
  }
}

function listed(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
