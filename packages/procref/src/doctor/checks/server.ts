import type { FileLocker } from '@procref/core'
import { isSameProcess, sameNamespaces } from '@procref/core'
import {
  isUpState,
  type Layout,
  livingGuardians,
  lookAtServerLock,
  readServerRecord,
  type ServerLockHolder,
  type ServerLockSeen,
  type ServerRecord,
  standstill,
} from '@procref/lifecycle'
import type { Check, Finding } from '../check.ts'
import { attempt } from '../look-around.ts'
import { settled } from '../settle.ts'

/** The server: held by its lock exactly while it lives, answering, and never without a guardian. */
export const server: Check = {
  id: 'server',
  looksAt: 'data/server.lock and the server that server.json names',
  where: 'inside',
  async examine(seen) {
    const { locks } = seen
    if (locks === undefined) return { found: 'cannot be told without a backend', findings: [] }
    const state = await settled(
      () => look(locks, seen.paths),
      ({ lock, record, guarded }) => (isUp(record, guarded) ? lock.state === 'held' : guarded || lock.state === 'free'),
    )
    return describe(seen.paths, state)
  },
}

interface ServerSeen {
  readonly lock: ServerLockSeen
  readonly record: ServerRecord | undefined
  readonly guarded: boolean
}

async function look(locks: FileLocker, paths: Layout): Promise<ServerSeen> {
  const record = await attempt(() => readServerRecord(paths.serverJson))
  const recorded = 'value' in record ? record.value : undefined
  // The lock first: a guardian that comes meanwhile and takes it is seen by the second look.
  const lock = await lookAtServerLock(locks, paths, recorded)
  // One that has lost its alive lock is what the check of the guardian reports.
  const guarded = livingGuardians(locks, paths).length > 0 || (recorded !== undefined && runs(recorded.guardian))
  return { lock, record: recorded, guarded }
}

function isUp(record: ServerRecord | undefined, guarded: boolean): record is ServerRecord {
  return guarded && record !== undefined && isUpState(record.state)
}

function describe(paths: Layout, { lock, record, guarded }: ServerSeen) {
  if (isUp(record, guarded)) {
    const found = `process ${record.server?.pid ?? '?'} on ${record.host}:${record.port}`
    return { found, findings: [...silent(record), ...(lock.state === 'free' ? [lockLost(paths, record)] : [])] }
  }
  if (lock.state === 'free') return { found: guarded ? 'not up at the moment' : 'none', findings: [] }
  if (guarded) return { found: 'on its way up or down', findings: [] }
  return { found: 'one without a guardian', findings: [judge(paths, lock, record)] }
}

function silent(record: ServerRecord): readonly Finding[] {
  const { server, state, guardian } = record
  // The engine in the guardian: said by its check.
  if (server?.pid === guardian.pid) return []
  const stands = server === undefined ? undefined : standstill(server)
  if (state !== 'unresponsive' && !/stopped/.test(stands ?? '')) return []
  return [
    {
      code: 'server-unresponsive',
      severity: 'problem',
      found: `The server (process ${server?.pid}) ${stands ?? 'does not answer'}.`,
      why: 'Queries wait. It is never ended for that: it may be busy, and nobody knows better than you.',
      remedy: `${stands === undefined ? '`procref logs` may say what it does' : `\`kill -CONT ${server?.pid}\``}; or \`procref stop --force\`, which ends it under its users.`,
    },
  ]
}

function lockLost({ serverLock, data }: Layout, { server }: ServerRecord): Finding {
  return {
    code: 'server-lock-lost',
    severity: 'problem',
    path: serverLock,
    found: `The server (process ${server?.pid}) runs, and ${serverLock} is not held: ${data} was deleted or replaced under it.`,
    why: 'It writes into files that nobody will find again. Its guardian notices at its next beat (5 s) and stops it.',
    remedy: `If you moved ${data} away, move it back once the server has stopped. Rows written meanwhile are lost.`,
  }
}

function judge(paths: Layout, { holders }: ServerLockSeen, record: ServerRecord | undefined): Finding {
  const orphans = holders.filter(({ orphan }) => orphan !== undefined)
  const strangers = holders.filter(({ orphan }) => orphan === undefined)
  const common = { path: paths.serverLock } as const
  if (record !== undefined && isElsewhere(record)) {
    return {
      ...common,
      code: 'server-elsewhere',
      severity: 'problem',
      found: `${paths.serverLock} is held, and the server was started in another container (process ${record.server?.pid ?? '?'} there).`,
      why: 'From here it can neither be seen nor stopped, so it is let go, and connect() is refused.',
      remedy: 'Connect from that container, or end the server there. Give each container a directory of its own.',
    }
  }
  if (strangers.length === 0 && orphans.length > 0) {
    return {
      ...common,
      code: 'orphan-server',
      severity: 'warning',
      found: `${namesOf(orphans)} is a server of this directory, and its guardian is dead.`,
      why: 'Nobody stops it when its last client leaves. Where the kernel cannot bind a server to its guardian (macOS, Linux without setpriv) this can happen; see the check "binding".',
      remedy:
        'Nothing: the next connect() proves that it is the recorded server, ends it, and starts the next one. No acknowledged write is lost.',
    }
  }
  return {
    ...common,
    code: 'server-lock-held',
    severity: 'problem',
    found: `${paths.serverLock} is held by ${strangers.length === 0 ? 'a process that cannot be seen from here (another container, another user)' : namesOf(strangers)}, which was not started from this directory as far as can be told.`,
    why: 'Two servers on one database destroy it, so none is started while anybody holds this lock.',
    remedy:
      strangers.length === 0
        ? `As root, \`fuser -v ${paths.serverLock}\` shows who has it open. End that process if it should not be there.`
        : 'End that process if it should not be there. procref leaves alone whom it cannot identify.',
  }
}

function namesOf(holders: readonly ServerLockHolder[]): string {
  return holders.map(({ pid, program }) => `process ${pid}${program === undefined ? '' : ` (${program})`}`).join(', ')
}

function isElsewhere({ guardian }: ServerRecord): boolean {
  try {
    return !sameNamespaces(guardian)
  } catch {
    return false
  }
}

function runs(process: ServerRecord['guardian']): boolean {
  try {
    return isSameProcess(process)
  } catch {
    return false
  }
}
