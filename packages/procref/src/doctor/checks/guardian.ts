import { readdirSync, statSync } from 'node:fs'
import { type FileLocker, isSameProcess, sameNamespaces } from '@procref/core'
import {
  holdersOf,
  type Layout,
  livingGuardians,
  readServerRecord,
  type ServerRecord,
  standstill,
  VERSION,
} from '@procref/lifecycle'
import type { Check, Finding } from '../check.ts'
import { attempt, type Surroundings } from '../look-around.ts'
import { settled } from '../settle.ts'

/** The guardian: alive, recorded, alone, and not standing still. */
export const guardian: Check = {
  id: 'guardian',
  looksAt: 'guardian.lock, alive-*.lock and the guardian that server.json names',
  where: 'inside',
  async examine(seen) {
    const { locks } = seen
    if (locks === undefined) return { found: 'cannot be told without a backend', findings: [] }
    const state = await settled(
      () => lookAtGuardians(locks, seen.paths),
      ({ living, recorded, runs, hasLock }) =>
        living.length === 0
          ? !runs
          : living.length === 1 &&
            recorded !== undefined &&
            recorded.nonce === living[0] &&
            hasLock !== false &&
            (runs || isElsewhere(recorded.guardian)),
    )
    return describe(seen, state)
  },
}

interface Guardians {
  /** Nonces of those whose alive lock is held. */
  readonly living: readonly string[]
  readonly recorded: ServerRecord | undefined
  /** Does the recorded process run? By its identity, so false for one of another container. */
  readonly runs: boolean
  /** Has it the file open that is at the path of `guardian.lock`? `undefined`: cannot be told. */
  readonly hasLock: boolean | undefined
}

async function lookAtGuardians(locks: FileLocker, paths: Layout): Promise<Guardians> {
  const record = await attempt(() => readServerRecord(paths.serverJson))
  // What is wrong with the record is said by its own check.
  const recorded = 'value' in record ? record.value : undefined
  const living = livingGuardians(locks, paths)
  const visible = recorded !== undefined && living.length > 0 && !isElsewhere(recorded.guardian)
  // `guardian.lock` is never probed: a prober could keep a guardian from being elected. Who has it open can be seen without.
  const hasLock = visible ? await hasOpen(recorded.guardian.pid, paths.guardianLock) : undefined
  return { living, recorded, runs: recorded !== undefined && runs(recorded), hasLock }
}

function runs({ guardian }: ServerRecord): boolean {
  try {
    return isSameProcess(guardian)
  } catch {
    return false
  }
}

function describe({ paths, selection }: Surroundings, { living, recorded, runs, hasLock }: Guardians) {
  const timeout =
    'value' in selection && selection.value.backend.guarantees.crashRelease === 'stale-timeout'
      ? selection.value.backend.guarantees.maxRecoveryMs
      : undefined
  if (living.length > 1) return { found: `${living.length} of them`, findings: [twoGuardians(paths, living)] }
  if (living.length === 1 && living[0] !== recorded?.nonce) {
    return { found: 'one that server.json does not name', findings: [notRecorded(paths, living[0] ?? '')] }
  }
  if (recorded === undefined) return { found: 'none', findings: [] }
  const { pid } = recorded.guardian
  if (living.length === 0) {
    if (runs)
      return { found: `process ${pid} runs without its alive lock`, findings: [withoutAliveLock(paths, recorded)] }
    if (recorded.state === 'stopped' || recorded.state === 'failed')
      return { found: `none; the last one ended in order`, findings: [] }
    return { found: `none; process ${pid} has ended without a word`, findings: [killed(paths, recorded)] }
  }
  if (!runs && !isElsewhere(recorded.guardian)) {
    return {
      found: `process ${pid} is gone, and its alive lock is held`,
      findings: [lockOutlives(paths, recorded, timeout)],
    }
  }
  const findings: readonly Finding[] = [
    ...standsStill(recorded),
    ...elsewhere(recorded),
    ...(hasLock === false ? [withoutGuardianLock(paths, recorded)] : []),
    ...(recorded.procref === VERSION ? [] : [otherVersion(recorded)]),
  ]
  return { found: `process ${pid}, epoch ${recorded.epoch}, ${recorded.state}`, findings }
}

function twoGuardians({ root, guardianLock }: Layout, living: readonly string[]): Finding {
  return {
    code: 'two-guardians',
    severity: 'problem',
    path: root,
    found: `${living.length} guardians live in this directory (alive-${living.join('.lock, alive-')}.lock are held).`,
    why: `Somebody deleted ${guardianLock} under the first, so another could be elected. The first one touches nothing any more once it notices, at its next beat (5 s), and leaves.`,
    remedy:
      'Look again after ten seconds. If there are still two, one of them stands still: find it with `fuser` on its alive lock, and let it go on (`kill -CONT`) or end it.',
  }
}

function notRecorded({ serverJson }: Layout, nonce: string): Finding {
  return {
    code: 'guardian-not-recorded',
    severity: 'warning',
    path: serverJson,
    found: `A guardian lives (alive-${nonce}.lock is held), and server.json does not name it.`,
    why: 'Somebody deleted or replaced server.json. Until it is written anew clients find no server, and wait.',
    remedy:
      'Nothing: the guardian writes it again at its next beat (5 s). If it does not, it stands still: `fuser` on the alive lock finds it.',
  }
}

function withoutAliveLock({ root }: Layout, { guardian, nonce, state }: ServerRecord): Finding {
  const stands = standstill(guardian)
  return {
    code: 'alive-lock-lost',
    severity: 'problem',
    path: root,
    found: `The guardian (process ${guardian.pid}, ${state}) runs${stands === undefined ? '' : `, but ${stands}`}, and alive-${nonce}.lock is not held: the file was deleted or replaced under it.`,
    why: 'Clients take it for dead, and wait for another one, which cannot be elected while this one lives.',
    remedy:
      'Nothing: it makes the file anew at its next beat (5 s). If it does not, let it go on (`kill -CONT`) or end it (`kill`).',
  }
}

function lockOutlives(paths: Layout, { guardian, nonce }: ServerRecord, timeoutMs: number | undefined): Finding {
  const path = paths.aliveLock(nonce)
  const slow = timeoutMs !== undefined
  return {
    code: 'alive-lock-outlives',
    severity: slow ? 'note' : 'problem',
    path,
    found: `The guardian (process ${guardian.pid}) has ended, and its alive lock is still held.`,
    why: slow
      ? `This backend knows the end of a holder by its missing heartbeats: after ${Math.ceil(timeoutMs / 1000)} s at most. Until then clients wait.`
      : 'A process that it started has inherited the lock, which must not happen. Clients wait for a guardian that is dead.',
    remedy: slow
      ? 'Nothing: the next guardian is launched then.'
      : `\`fuser ${path}\` shows who holds it; end that process.`,
  }
}

function killed({ serverJson }: Layout, { guardian, state, epoch, at }: ServerRecord): Finding {
  return {
    code: 'guardian-killed',
    severity: 'note',
    path: serverJson,
    found: `The guardian (process ${guardian.pid}, epoch ${epoch}) was ended while it was \`${state}\` (written ${at}).`,
    why: 'It was killed, or the machine went down. Its locks went with it, so nothing is in the way; what it wrote last is history.',
    remedy: 'Nothing: the next connect() starts the next epoch on the same data. `procref why` shows what came before.',
  }
}

function standsStill({ guardian }: ServerRecord): readonly Finding[] {
  const stands = standstill(guardian)
  if (stands === undefined || !/stopped/.test(stands)) return []
  return [
    {
      code: 'guardian-stopped',
      severity: 'problem',
      found: `The guardian (process ${guardian.pid}) ${stands}.`,
      why: 'Nothing is started, restarted or stopped meanwhile, and nobody else can: it holds its locks. Who is connected stays connected.',
      remedy: `\`kill -CONT ${guardian.pid}\`, or end it with \`kill -KILL ${guardian.pid}\`: clients then launch the next one.`,
    },
  ]
}

function elsewhere({ guardian }: ServerRecord): readonly Finding[] {
  if (!isElsewhere(guardian)) return []
  return [
    {
      code: 'guardian-elsewhere',
      severity: 'note',
      found: `The guardian (process ${guardian.pid} there) runs in another container: its pid or network namespace is not this one.`,
      why: 'Its port is not to be reached from here, and nobody here can see or end it. connect() says so.',
      remedy: 'Look from that container, or give each container a directory of its own.',
    },
  ]
}

function isElsewhere(guardian: ServerRecord['guardian']): boolean {
  try {
    return !sameNamespaces(guardian)
  } catch {
    return false
  }
}

function otherVersion({ guardian, procref }: ServerRecord): Finding {
  return {
    code: 'other-version',
    severity: 'note',
    found: `The guardian (process ${guardian.pid}) is of procref ${procref}, and this is ${VERSION}.`,
    why: 'A guardian keeps the code of the program that launched it as long as it lives, whatever was installed since.',
    remedy: 'Nothing, or `procref restart` of the version that is wanted: who uses the server is connected again.',
  }
}

function withoutGuardianLock({ guardianLock }: Layout, { guardian }: ServerRecord): Finding {
  return {
    code: 'guardian-lock-lost',
    severity: 'problem',
    path: guardianLock,
    found: `The guardian (process ${guardian.pid}) lives, and ${guardianLock} is not the file that it locked: that was deleted or replaced.`,
    why: 'Another guardian could be elected beside it. It notices at its next beat (5 s), stops its server, and leaves.',
    remedy:
      'Nothing: clients then launch the next one. Never delete lock files: the kernel frees a lock when its holder is gone.',
  }
}

/** `undefined`: cannot be told. */
async function hasOpen(pid: number, path: string): Promise<boolean | undefined> {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return false
  const { holders, supported } = await holdersOf(stat)
  if (holders.some((holder) => holder.pid === pid)) return true
  return supported && canSeeInto(pid) ? false : undefined
}

function canSeeInto(pid: number): boolean {
  try {
    readdirSync(`/proc/${pid}/fd`)
    return true
  } catch {
    return false
  }
}
