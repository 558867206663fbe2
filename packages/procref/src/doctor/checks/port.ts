import {
  isUpState,
  type Layout,
  type ListenerProof,
  type PortUser,
  probeAlive,
  proveListener,
  readConfigFile,
  readServerRecord,
  type ServerRecord,
  whoListens,
} from '@procref/lifecycle'
import type { Check, Finding } from '../check.ts'
import { attempt, recordOf } from '../look-around.ts'
import { settled } from '../settle.ts'

/** The port: is the server the one who listens there? And is it free for the next one? */
export const port: Check = {
  id: 'port',
  looksAt: "the server's port: who listens there",
  where: 'inside',
  async examine(seen) {
    const { locks } = seen
    const known = recordOf(seen)
    if (locks === undefined) return { found: 'cannot be told without a backend', findings: [] }
    if (seen.guardian !== 'alive') return await futurePort(seen.paths, known)
    const { proof, record } = await settled(
      async () => {
        const attempted = await attempt(() => readServerRecord(seen.paths.serverJson))
        const record = 'value' in attempted ? attempted.value : undefined
        const up =
          record !== undefined &&
          isUpState(record.state) &&
          probeAlive(locks, seen.paths.aliveLock(record.nonce)) === 'alive'
        return { record: up ? record : undefined, proof: up ? prove(record) : undefined }
      },
      ({ proof }) => proof === undefined || proof === 'proven' || proof === 'unknown',
    )
    if (record === undefined || proof === undefined) return { found: 'no server is up', findings: [] }
    return { found: `${record.port}, ${WORDS[proof]}`, findings: judge(record, proof) }
  },
}

const WORDS: { readonly [P in ListenerProof]: string } = {
  proven: 'proven to be the server',
  stranger: 'somebody else listens there',
  nobody: 'nobody listens there',
  unknown: 'this system does not tell who listens',
}

function prove(record: ServerRecord): ListenerProof {
  const { host, port, server } = record
  return server === undefined ? 'unknown' : proveListener({ host, port, server })
}

function judge({ host, port, server }: ServerRecord, proof: ListenerProof): readonly Finding[] {
  if (proof === 'stranger') {
    return [
      {
        code: 'stranger-on-port',
        severity: 'problem',
        found: `Port ${port} is listened on by ${listeners(host, port)}, and not by the server (process ${server?.pid}).`,
        why: 'Clients refuse to talk to it: it would be handed the password. The guardian notices at its beat (5 s) and starts the server anew, on another port.',
        remedy: 'Find out what that program is. If it was not started by you, change what may run as your user.',
      },
    ]
  }
  if (proof === 'nobody') {
    return [
      {
        code: 'nobody-on-port',
        severity: 'problem',
        found: `Nobody listens on port ${port}, although the server (process ${server?.pid}) is recorded as up.`,
        why: 'It was told to end from outside, and still finishes. The guardian notices at its beat (5 s) and starts the next one.',
        remedy: 'Nothing. If it stays so the guardian stands still: see the check "guardian".',
      },
    ]
  }
  return []
}

async function futurePort(paths: Layout, record: ServerRecord | undefined) {
  const config = await attempt(() => readConfigFile(paths.config))
  const demanded = ('value' in config ? config.value.port : undefined) ?? record?.settings.port
  const next = demanded ?? record?.port ?? 0
  if (next === 0) return { found: 'none yet', findings: [] }
  const host = record?.host ?? '127.0.0.1'
  // The last server may be about to end: who is killed gives its port back a moment after its locks.
  const users = await settled(
    () => whoListens({ host, port: next }),
    (listening) => listening === undefined || listening.length === 0,
  )
  if (users === undefined) return { found: `${next}; this system does not tell whether it is free`, findings: [] }
  if (users.length === 0) return { found: `${next}, free for the next server`, findings: [] }
  // The server itself, whose guardian has lost its alive lock or is dead: said by their checks.
  if (users.every(({ pids }) => pids.some((pid) => pid === record?.server?.pid)))
    return { found: `${next}, the recorded server`, findings: [] }
  const finding: Finding =
    demanded === undefined
      ? {
          code: 'port-taken',
          severity: 'note',
          found: `Port ${next}, which the last server had, is used by ${describe(users)}.`,
          why: 'The next server takes another one. Clients find it by themselves; a URL that was written down somewhere leads nowhere.',
          remedy: 'Nothing. `procref url` prints the URL of the server that is up.',
        }
      : {
          code: 'demanded-port-taken',
          severity: 'problem',
          found: `Port ${next}, which was asked for (config.json, --port), is used by ${describe(users)}.`,
          why: 'The server does not take another one in its place, so it cannot be started.',
          remedy: 'End that program, or ask for another port or for none.',
        }
  return { found: `${next}, taken`, findings: [finding] }
}

function listeners(host: string, port: number): string {
  return describe(whoListens({ host, port }) ?? [])
}

function describe(users: readonly PortUser[]): string {
  const names = users.map(({ uid, pids }) =>
    pids.length === 0
      ? `a process of user ${uid}`
      : `process ${pids.join(', ')}${uid === process.geteuid?.() ? '' : ` (user ${uid})`}`,
  )
  return names.length === 0 ? 'somebody' : names.join(' and ')
}
