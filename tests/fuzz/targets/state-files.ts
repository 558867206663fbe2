import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ProcrefError, readProtocolPin } from '@procref/core'
import { flock } from '@procref/flock'
import {
  checkEngine,
  examineJournal,
  inspect,
  type Layout,
  layout,
  readConfigFile,
  readCredentials,
  readEngineRecord,
  readJournal,
  readRequest,
  readServerRecord,
  readTakeover,
  readUpgradeConsent,
} from '@procref/lifecycle'
import { freshDir } from '@procref/testing'
import fc from 'fast-check'
import { sampleRecord } from '../../../packages/lifecycle/test/state/sample-record.ts'
import { mutatedBytes } from '../mutated-bytes.ts'
import { mutatedJson } from '../mutated-json.ts'
import { fuzzTarget } from '../target.ts'

const PASSWORD = 'b2e6c1f04d'
const NONCE = '0123456789abcdef0123456789abcdef'
const ENGINE = { engine: 'surrealdb', version: '3.0.2', storage: 'rocksdb' }

interface StateFile {
  readonly name: string
  path(paths: Layout): string
  readonly samples: readonly unknown[]
  /** Everybody who reads it. */
  read(paths: Layout): unknown
}

const FILES: readonly StateFile[] = [
  {
    name: 'server.json',
    path: ({ serverJson }) => serverJson,
    // One of today, one of a version that is too new, and one of a newer version that is understood here.
    samples: [
      sampleRecord(),
      { ...sampleRecord(), protocol: 99, newestProtocol: 100 },
      { ...sampleRecord(), newestProtocol: 99, restarting: { by: 4_711 } },
    ],
    read: async ({ root, serverJson }) => [readServerRecord(serverJson), await inspect(root, flock())],
  },
  {
    name: 'request.json',
    path: ({ requestJson }) => requestJson,
    samples: [{ kind: 'stop', nonce: NONCE, force: true, by: 4_711, at: '2026-01-01T00:00:00.000Z' }],
    read: ({ requestJson }) => readRequest(requestJson),
  },
  {
    name: 'config.json',
    path: ({ config }) => config,
    samples: [{ storage: 'rocksdb', port: 8_000, slots: 100, lingerMs: 10_000 }],
    read: ({ config }) => readConfigFile(config),
  },
  {
    name: 'engine.json',
    path: ({ engineJson }) => engineJson,
    samples: [ENGINE, { ...ENGINE, version: '3.9.0' }, { ...ENGINE, storage: 'surrealkv' }],
    read: ({ engineJson }) => checkEngine(readEngineRecord(engineJson), ENGINE, engineJson),
  },
  {
    name: 'upgrade.json',
    path: ({ upgradeJson }) => upgradeJson,
    samples: [{ from: ENGINE, to: '3.3.5' }],
    read: ({ upgradeJson }) => readUpgradeConsent(upgradeJson),
  },
  {
    name: 'takeover.json',
    path: ({ takeoverJson }) => takeoverJson,
    samples: [
      {
        ...{ folder: '/somewhere/data.db', dev: '66', ino: '12', state: 'ab12', storage: 'rocksdb' },
        ...{ files: 9, bytes: 4_096, writtenBy: null, original: 'remove' },
      },
    ],
    read: ({ takeoverJson }) => readTakeover(takeoverJson),
  },
  {
    name: 'credentials.json',
    path: ({ credentialsJson }) => credentialsJson,
    samples: [{ user: 'procref', password: PASSWORD }],
    read: (paths) => readCredentials(paths),
  },
  {
    name: 'journal.ndjson',
    path: ({ journal }) => journal,
    samples: [
      {
        at: '2026-01-01T00:00:00.000Z',
        pid: 4_711,
        epoch: 1,
        nonce: NONCE,
        event: 'server-died',
        reason: 'signal',
        evidence: { a: 1 },
      },
    ],
    read: ({ journal }) => [readJournal(journal), readJournal(journal, { last: 1 }), examineJournal(journal)],
  },
  {
    name: 'protocol.json',
    path: ({ slots }) => join(slots, 'protocol.json'),
    samples: [
      { format: 1, protocol: 'flock', slots: 3 },
      { format: 2, protocol: 'ofd-range', slots: 3, folder: 'generation-2' },
      { format: 2, protocol: 'flock', slots: 3, moving: { to: 'ofd-range' } },
    ],
    async read({ slots }) {
      readProtocolPin(slots)
      await using pool = await flock().open(slots)
      await pool.held()
    },
  },
]

export const stateFileTargets = FILES.map(({ name, path, samples, read }) =>
  fuzzTarget<Buffer>({
    name,
    title: `what stands in ${name}`,
    inputs: fc.oneof(
      ...samples.map((sample) => mutatedJson(sample)),
      mutatedBytes(samples.map((sample) => Buffer.from(`${JSON.stringify(sample, null, 2)}\n`))),
    ),
    // A journal of thousands of damaged lines takes its time.
    sample: name === 'journal.ndjson' ? 200 : 750,
    async open() {
      const paths = layout(freshDir())
      const file = path(paths)
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      return {
        /** It is read, or refused with an error of ours that names its place; and it is left as it is. */
        async feed(input) {
          writeFileSync(file, input, { mode: 0o600 })
          try {
            await read(paths)
          } catch (error) {
            if (!(error instanceof ProcrefError)) throw error
            if (!error.message.includes(dirname(file)))
              throw new Error(`its place is not named: ${error.message}`, { cause: error })
            if (error.message.includes(PASSWORD)) throw new Error('the password is in an error', { cause: error })
            if (/[^\P{Cc}\n]/u.test(error.message))
              throw new Error('a control character is in an error', { cause: error })
          }
          if (!readFileSync(file).equals(input)) throw new Error('reading has changed it')
        },
        async [Symbol.asyncDispose]() {},
      }
    },
  }),
)
