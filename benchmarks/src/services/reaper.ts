import { surrealBinary } from '@procref/lifecycle'
import type { Service } from '../service.ts'
import { clientCommand } from './client-command.ts'
import { executableMissing, versionOf } from './driver-here.ts'
import { whenNothingRuns } from './processes-of.ts'
import { readStopNote } from './stop-note.ts'

/** What remains of testcontainers' reaper without containers: who counts is a process of its own, what it counts are sockets. */
export const reaper: Service = {
  name: 'reaper',
  title: 'Supervisor with a socket a client',
  summary:
    'the idea of testcontainers’ reaper: the first client starts a supervisor, which stops `surreal` after the last socket closed',
  kind: 'peer',
  engine: 'executable',
  shared: true,
  lacks: { restart: 'nobody replaces a server or a supervisor that died' },
  unavailable: executableMissing,
  version: () => versionOf(surrealBinary()),
  async open(dir, settings) {
    return {
      client: clientCommand('reaper', dir, settings),
      lingerMs: settings.lingerMs,
      stopBeganAt: () => readStopNote(dir),
      [Symbol.asyncDispose]: () => whenNothingRuns(dir),
    }
  },
}
