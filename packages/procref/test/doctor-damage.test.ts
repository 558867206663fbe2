import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { isRoot, otherUser } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import {
  alarms,
  dataOf,
  describeTree,
  doctor,
  inWords,
  leaveElsewhere,
  ROWS,
  readRows,
  servedDir,
} from './doctor-directory.ts'

const NONCE = 'd'.repeat(32)
const LONG_AGO = new Date('2026-01-02T03:04:05Z')

interface Damage {
  readonly what: string
  make(dir: string): void | Promise<void>
  /** `check/code` of everything that doctor finds then. */
  readonly finds: readonly string[]
  readonly severity: 'note' | 'warning' | 'problem'
  /** `mends`: --fix does it. Else what a person does who reads the remedy; absent: nothing is needed. */
  readonly cure?: 'mends' | ((dir: string) => void)
  /** False: the service starts only once it is cured. */
  readonly startsAnyway?: boolean
}

const DAMAGES: readonly Damage[] = [
  {
    what: 'a directory that everybody may write',
    make: (dir) => chmodSync(dir, 0o777),
    finds: ['directory/mode'],
    severity: 'problem',
    cure: 'mends',
  },
  {
    what: 'a folder of slots that others may look into',
    make: (dir) => chmodSync(join(dir, 'slots'), 0o755),
    finds: ['directory/mode'],
    severity: 'warning',
    cure: 'mends',
  },
  {
    what: 'a folder that everybody may write above the directory',
    make(dir) {
      chmodSync(dirname(dir), 0o777)
    },
    finds: ['parents/writable-parent'],
    severity: 'problem',
    cure: (dir) => chmodSync(dirname(dir), 0o700),
  },
  {
    what: 'locks, records and logs that others may read',
    make(dir) {
      for (const name of ['guardian.lock', 'server.json', 'server.log', 'data/server.lock'])
        chmodSync(join(dir, name), 0o644)
    },
    finds: ['files/mode'],
    severity: 'warning',
    cure: 'mends',
  },
  {
    what: 'a lock that is a symbolic link',
    make: (dir) => replaceByLink(join(dir, 'guardian.lock'), join(dir, '..', 'elsewhere')),
    finds: ['files/link'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'guardian.lock')),
  },
  {
    what: 'a slot file that others may read',
    make: (dir) => writeFileSync(join(dir, 'slots', 'slot_07.lock'), '', { mode: 0o644 }),
    finds: ['slots/mode'],
    severity: 'warning',
    cure: 'mends',
  },
  {
    what: 'a slot file that its owner may not write',
    make: (dir) => writeFileSync(join(dir, 'slots', 'slot_07.lock'), '', { mode: 0o400 }),
    finds: ['slots/mode'],
    severity: 'problem',
    cure: 'mends',
  },
  {
    what: 'a slot file that is a symbolic link',
    make: (dir) => symlinkSync('/etc/passwd', join(dir, 'slots', 'slot_07.lock')),
    finds: ['slots/link'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'slots', 'slot_07.lock')),
  },
  {
    what: 'a slot file that is a directory',
    make: (dir) => mkdirSync(join(dir, 'slots', 'slot_07.lock'), { mode: 0o700 }),
    finds: ['slots/wrong-kind'],
    severity: 'problem',
    cure: (dir) => rmSync(join(dir, 'slots', 'slot_07.lock'), { recursive: true }),
  },
  {
    what: 'a slot beyond the pool',
    make: (dir) => writeFileSync(join(dir, 'slots', 'slot_150.lock'), '', { mode: 0o600 }),
    finds: ['slots/beyond-pool'],
    severity: 'note',
  },
  {
    what: 'a protocol.json that is rubbish',
    make: (dir) => writeFileSync(join(dir, 'slots', 'protocol.json'), 'rubbish'),
    finds: ['protocol/protocol-unreadable'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'slots', 'protocol.json')),
    startsAnyway: false,
  },
  {
    what: 'a protocol that this version does not know',
    make: (dir) =>
      writeFileSync(join(dir, 'slots', 'protocol.json'), '{"format":1,"protocol":"telepathy","slots":100}'),
    finds: ['protocol/unknown-protocol'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'slots', 'protocol.json')),
    startsAnyway: false,
  },
  {
    what: 'slot files of the original program, without protocol.json',
    make: (dir) => unlinkSync(join(dir, 'slots', 'protocol.json')),
    finds: ['protocol/no-protocol-file'],
    severity: 'note',
  },
  {
    what: 'a folder of slots for servers elsewhere that others may look into',
    async make(dir) {
      await leaveElsewhere(dir)
      chmodSync(join(dir, 'external'), 0o755)
    },
    finds: ['directory/mode'],
    severity: 'warning',
    cure: 'mends',
  },
  {
    what: 'a symbolic link in the place of the slots for servers elsewhere',
    make: (dir) => symlinkSync(join(dir, '..', 'elsewhere'), join(dir, 'external')),
    finds: ['directory/link'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'external')),
  },
  {
    what: 'a slot for servers elsewhere that others may read',
    async make(dir) {
      await leaveElsewhere(dir)
      for (const slot of slotFiles(join(dir, 'external'))) chmodSync(slot, 0o644)
    },
    finds: ['slots/mode'],
    severity: 'warning',
    cure: 'mends',
  },
  {
    what: 'a slot for servers elsewhere beyond their pool',
    async make(dir) {
      await leaveElsewhere(dir, 3)
      writeFileSync(join(dir, 'external', 'slot_07.lock'), '', { mode: 0o600 })
    },
    finds: ['slots/beyond-pool'],
    severity: 'note',
  },
  {
    what: 'a protocol.json of the slots for servers elsewhere that is rubbish',
    async make(dir) {
      await leaveElsewhere(dir)
      writeFileSync(join(dir, 'external', 'protocol.json'), 'rubbish')
    },
    finds: ['protocol/protocol-unreadable'],
    severity: 'problem',
    cure: (dir) => rmSync(join(dir, 'external'), { recursive: true }),
  },
  {
    what: 'slots for servers elsewhere without protocol.json',
    async make(dir) {
      await leaveElsewhere(dir)
      unlinkSync(join(dir, 'external', 'protocol.json'))
    },
    finds: ['protocol/no-protocol-file'],
    severity: 'note',
  },
  {
    what: 'a setting that the slots for servers elsewhere cannot follow',
    async make(dir) {
      await leaveElsewhere(dir, 7)
      writeFileSync(join(dir, 'config.json'), '{"slots": 100}', { mode: 0o600 })
    },
    finds: ['config/config-slots'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'config.json')),
  },
  {
    what: 'temporary files beside the slots for servers elsewhere',
    async make(dir) {
      await leaveElsewhere(dir)
      leaveLongAgo(join(dir, 'external', 'protocol.json.4711-0123456789ab.tmp'))
    },
    finds: ['leftovers/slot-temporary-file'],
    severity: 'note',
    cure: 'mends',
  },
  {
    what: 'a server.json that is rubbish',
    make: (dir) => writeFileSync(join(dir, 'server.json'), '{"protocol":1'),
    finds: ['state/record-damaged'],
    severity: 'warning',
  },
  {
    what: 'a server.json that is a symbolic link',
    make: (dir) => replaceByLink(join(dir, 'server.json'), join(dir, '..', 'elsewhere')),
    finds: ['files/link'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'server.json')),
  },
  {
    what: 'a server.json of a newer procref',
    make: (dir) => change(join(dir, 'server.json'), (record) => ({ ...record, protocol: 99 })),
    finds: ['state/newer-record'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'server.json')),
    startsAnyway: false,
  },
  {
    what: 'a server that was given up',
    make: (dir) =>
      change(join(dir, 'server.json'), (record) => ({
        ...record,
        state: 'failed',
        failure: {
          code: 'PROCREF_SERVER_CRASH_LOOP',
          name: 'ServerCrashLoopError',
          message: 'The server ended 5 times',
          details: {},
          logTail: ['the last words of the server'],
        },
      })),
    finds: ['state/crash-loop'],
    severity: 'problem',
    // A failure binds nobody who comes later.
    cure: () => {},
  },
  {
    what: 'the alive lock of a dead guardian',
    make: (dir) => writeFileSync(join(dir, `alive-${NONCE}.lock`), '', { mode: 0o600 }),
    finds: ['leftovers/alive-file'],
    severity: 'note',
    cure: 'mends',
  },
  {
    what: 'temporary files of dead writers',
    make(dir) {
      for (const name of [`server.json.${NONCE}.tmp`, `request.json.${NONCE}.taken`, `server.json.${NONCE}.spare1`])
        leaveLongAgo(join(dir, name))
    },
    finds: ['leftovers/temporary-file'],
    severity: 'note',
    cure: 'mends',
  },
  {
    what: 'temporary files beside the slots',
    make(dir) {
      leaveLongAgo(join(dir, 'slots', 'protocol.json.4711-0123456789ab.tmp'))
      leaveLongAgo(join(dir, 'slots', 'medium-test.4711-0123456789ab.tmp'))
    },
    finds: ['leftovers/slot-temporary-file'],
    severity: 'note',
    cure: 'mends',
  },
  {
    what: 'a request to a guardian that is gone',
    make: (dir) =>
      writeFileSync(
        join(dir, 'request.json'),
        JSON.stringify({ kind: 'stop', nonce: NONCE, force: true, by: 1, at: '2026-01-02T03:04:05.678Z' }),
        { mode: 0o600 },
      ),
    finds: ['request/request-left-over'],
    severity: 'note',
    cure: 'mends',
  },
  {
    what: 'a misspelt setting',
    make: (dir) => writeFileSync(join(dir, 'config.json'), '{\n  "lingerMS": 100\n}', { mode: 0o600 }),
    finds: ['config/config-invalid'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'config.json')),
    startsAnyway: false,
  },
  {
    what: 'a setting that the directory cannot follow',
    make: (dir) => writeFileSync(join(dir, 'config.json'), '{"slots": 7}', { mode: 0o600 }),
    finds: ['config/config-slots'],
    severity: 'problem',
    cure: (dir) => unlinkSync(join(dir, 'config.json')),
    startsAnyway: false,
  },
  {
    what: 'no credentials beside a database',
    make: (dir) => renameSync(credentials(dir), join(dir, '..', 'backup')),
    finds: ['credentials/credentials-missing'],
    severity: 'problem',
    cure: (dir) => renameSync(join(dir, '..', 'backup'), credentials(dir)),
    startsAnyway: false,
  },
  {
    what: 'damaged credentials beside a database',
    make(dir) {
      cpSync(credentials(dir), join(dir, '..', 'backup'), { preserveTimestamps: true })
      truncateSync(credentials(dir))
    },
    finds: ['credentials/credentials-missing'],
    severity: 'problem',
    cure: (dir) => renameSync(join(dir, '..', 'backup'), credentials(dir)),
    startsAnyway: false,
  },
  {
    what: 'credentials that others may read',
    make: (dir) => chmodSync(credentials(dir), 0o644),
    finds: ['credentials/credentials-exposed'],
    severity: 'problem',
    cure: (dir) => chmodSync(credentials(dir), 0o600),
    startsAnyway: false,
  },
  {
    what: 'a damaged engine.json',
    make(dir) {
      cpSync(engine(dir), join(dir, '..', 'backup'))
      writeFileSync(engine(dir), 'rubbish')
    },
    finds: ['engine/engine-damaged'],
    severity: 'problem',
    cure: (dir) => renameSync(join(dir, '..', 'backup'), engine(dir)),
    startsAnyway: false,
  },
  {
    what: 'data of a newer engine',
    make(dir) {
      cpSync(engine(dir), join(dir, '..', 'backup'))
      change(engine(dir), (record) => ({ ...record, version: '99.0.0' }))
    },
    finds: ['engine/newer-data'],
    severity: 'problem',
    cure: (dir) => renameSync(join(dir, '..', 'backup'), engine(dir)),
    startsAnyway: false,
  },
  {
    what: 'data of an engine that is too old',
    make(dir) {
      cpSync(engine(dir), join(dir, '..', 'backup'))
      change(engine(dir), (record) => ({ ...record, version: '2.6.5' }))
    },
    finds: ['engine/older-data'],
    severity: 'problem',
    cure: (dir) => renameSync(join(dir, '..', 'backup'), engine(dir)),
    startsAnyway: false,
  },
  {
    what: 'data that the installed server would upgrade',
    make(dir) {
      cpSync(engine(dir), join(dir, '..', 'backup'))
      change(engine(dir), (record) => ({ ...record, version: '3.0.0-beta.1' }))
    },
    finds: ['engine/upgrade-needed'],
    severity: 'problem',
    cure: (dir) => renameSync(join(dir, '..', 'backup'), engine(dir)),
    startsAnyway: false,
  },
  {
    what: 'a take-over that was killed before it was done',
    make: (dir) => mkdirSync(join(dir, 'taking-over-0123456789abcdef'), { mode: 0o700 }),
    finds: ['leftovers/unfinished-take-over'],
    severity: 'note',
  },
  {
    what: 'a take-over that was killed before the old folder was removed',
    make: (dir) =>
      writeFileSync(
        join(dir, 'data', 'takeover.json'),
        JSON.stringify({
          ...{ folder: '/somewhere/data.db', dev: '1', ino: '2', state: 'x', storage: 'rocksdb' },
          ...{ files: 1, bytes: 1, writtenBy: null, original: 'remove' },
        }),
        { mode: 0o600 },
      ),
    finds: ['leftovers/taken-over-folder'],
    severity: 'note',
  },
  {
    what: 'data of another engine',
    make(dir) {
      cpSync(engine(dir), join(dir, '..', 'backup'))
      change(engine(dir), (record) => ({ ...record, engine: 'another-database' }))
    },
    finds: ['engine/other-engine'],
    severity: 'problem',
    cure: (dir) => renameSync(join(dir, '..', 'backup'), engine(dir)),
    startsAnyway: false,
  },
  {
    what: 'no engine.json beside a database',
    make: (dir) => unlinkSync(engine(dir)),
    finds: ['engine/engine-unknown'],
    severity: 'warning',
  },
  {
    what: 'a torn last line in the journal',
    make: (dir) => appendFileSync(join(dir, 'journal.ndjson'), '{"at":"2026-01-02T03:0'),
    finds: ['journal/journal-torn'],
    severity: 'note',
    cure: 'mends',
  },
  {
    what: 'a damaged line in the journal',
    make: (dir) => appendFileSync(join(dir, 'journal.ndjson'), 'rubbish\n'),
    finds: ['journal/journal-damaged'],
    severity: 'note',
  },
  {
    what: 'a journal that nobody has rotated',
    make: (dir) => appendFileSync(join(dir, 'journal.ndjson'), '{"at":"x"}\n'.repeat(250_000)),
    finds: ['journal/journal-too-long'],
    severity: 'warning',
    cure: 'mends',
  },
  {
    what: 'a log that nobody has cut',
    make: (dir) => appendFileSync(join(dir, 'server.log'), `${'x'.repeat(99)}\n`.repeat(250_000)),
    finds: ['server-log/server-log-too-long'],
    severity: 'warning',
    cure: 'mends',
  },
  {
    what: 'files from the future',
    make: (dir) => utimesSync(join(dir, 'server.json'), new Date(), new Date(Date.now() + 86_400_000)),
    finds: ['clock/files-from-the-future'],
    severity: 'warning',
    cure: (dir) => utimesSync(join(dir, 'server.json'), new Date(), new Date()),
  },
  {
    what: 'a stranger on the port of the last server',
    make: async (dir) => {
      const port = await listen()
      change(join(dir, 'server.json'), (record) => ({ ...record, port }))
    },
    finds: ['port/port-taken'],
    severity: 'note',
  },
]

test.each(DAMAGES.map((damage) => [damage.what, damage] as const))(
  '%s: found, and nothing else; mended or explained; the data are untouched',
  async (_what, damage) => {
    const { finds, severity, cure, startsAnyway = true } = damage
    const dir = await servedDir()
    await damage.make(dir)
    const before = describeTree(dir)
    const data = dataOf(dir)

    const report = await doctor(dir)
    expect(await alarms(report)).toEqual(finds)
    expect(worst(report, finds)).toBe(severity)
    expect(describeTree(dir), 'a look changes nothing').toEqual(before)
    const words = inWords(report)
    for (const finding of report.findings) {
      expect(words.replaceAll(/\n {7}/g, '\n')).toContain(finding.found)
      expect(words).toContain(finding.remedy)
    }

    const fixed = await doctor(dir, { fix: true })
    expect(await alarms(fixed), 'what is left after --fix').toEqual(cure === 'mends' ? [] : finds)
    expect(fixed.left).toEqual([])
    expect(fixed.mended.map(({ check, code }) => `${check}/${code}`)).toEqual(cure === 'mends' ? finds : [])
    expect(await doctor(dir, { fix: true }), 'a second run has nothing to do').toMatchObject({ mended: [], left: [] })
    expect(dataOf(dir), 'the data').toBe(data)
    if (cure !== 'mends') expect(describeTree(dir), 'what cannot be mended is left alone').toEqual(before)

    if (!startsAnyway) await expect(readRows(dir)).rejects.toThrow()
    if (typeof cure === 'function') cure(dir)
    expect(await readRows(dir)).toEqual(ROWS)
  },
)

test.runIf(isRoot())('files of another user: found, never taken over; the data are untouched', async () => {
  const dir = await servedDir()
  const slot = join(dir, 'slots', 'slot_07.lock')
  writeFileSync(slot, '', { mode: 0o600 })
  for (const path of [slot, join(dir, 'server.log')]) chownSync(path, otherUser.uid, otherUser.gid)
  const data = dataOf(dir)
  const report = await doctor(dir, { fix: true })
  expect(await alarms(report)).toEqual(['files/foreign-owner', 'slots/foreign-owner'])
  expect(report).toMatchObject({ healthy: false, mended: [], left: [] })
  expect(lstatSync(slot).uid).toBe(otherUser.uid)
  expect(dataOf(dir)).toBe(data)
})

test('a directory behind a symbolic link is not looked into', async () => {
  const dir = await servedDir()
  const link = join(dir, '..', 'link')
  symlinkSync(dir, link)
  chmodSync(join(dir, 'server.log'), 0o644)
  const report = await doctor(link, { fix: true })
  expect(await alarms(report)).toEqual(['directory/link'])
  expect(report.notLookedAt).toContain('files')
  expect(lstatSync(join(dir, 'server.log')).mode & 0o777).toBe(0o644)
})

test('a file with a second name keeps its mode: it could be somebody’s in another place', async () => {
  const dir = await servedDir()
  const outside = join(dir, '..', 'outside')
  writeFileSync(outside, '', { mode: 0o644 })
  const slot = join(dir, 'slots', 'slot_07.lock')
  const { linkSync } = await import('node:fs')
  linkSync(outside, slot)
  const report = await doctor(dir, { fix: true })
  expect(report.left).toMatchObject([{ check: 'slots', code: 'mode', reason: expect.stringContaining('another name') }])
  expect(lstatSync(outside).mode & 0o777).toBe(0o644)
})

test('the end of the log of a server that was given up is shown', async () => {
  const dir = await servedDir()
  await DAMAGES.find(({ finds }) => finds.includes('state/crash-loop'))?.make(dir)
  expect(inWords(await doctor(dir))).toContain('the last words of the server')
})

test('a journal keeps every whole line when its torn one is mended', async () => {
  const dir = await servedDir()
  const path = join(dir, 'journal.ndjson')
  const whole = readFileSync(path, 'utf8')
  appendFileSync(path, '{"torn')
  await doctor(dir, { fix: true })
  appendFileSync(path, 'next\n')
  expect(readFileSync(path, 'utf8').replace(/\n *\n/, '\n')).toBe(`${whole}next\n`)
})

function worst(
  { findings }: { findings: readonly { check: string; code: string; severity: string }[] },
  of: readonly string[],
) {
  const found = findings.filter(({ check, code }) => of.includes(`${check}/${code}`)).map(({ severity }) => severity)
  return ['problem', 'warning', 'note'].find((severity) => found.includes(severity))
}

function credentials(dir: string): string {
  return join(dir, 'data', 'credentials.json')
}

function engine(dir: string): string {
  return join(dir, 'data', 'engine.json')
}

function read(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function change(path: string, how: (value: Record<string, unknown>) => Record<string, unknown>): void {
  writeFileSync(path, JSON.stringify(how(read(path))))
}

function replaceByLink(path: string, target: string): void {
  rmSync(path)
  symlinkSync(target, path)
}

function slotFiles(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('slot_'))
    .map((name) => join(folder, name))
}

function leaveLongAgo(path: string): void {
  writeFileSync(path, 'left', { mode: 0o600 })
  utimesSync(path, LONG_AGO, LONG_AGO)
}

/** The port of a program that is none of ours. */
async function listen(): Promise<number> {
  const stranger = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void stranger.close())
  return (stranger.address() as AddressInfo).port
}
