import { ProcrefError } from '@procref/core'
import { expect, test } from 'vitest'
import * as errors from '../../dist/errors.js'
import { isSerializedError, rebuildError, serializeError } from '../../dist/state/serialized-error.js'

const engine = { engine: 'surrealdb', version: '3.3.5', storage: 'rocksdb' }
const logTail = ['first', 'last']

const EXAMPLES: { readonly [K in keyof typeof errors]: InstanceType<(typeof errors)[K]> } = {
  ConfigMismatchError: new errors.ConfigMismatchError({
    dir: '/d',
    differences: [
      { setting: 'storage', running: 'rocksdb', asked: 'memory' },
      { setting: 'port', running: null, asked: 8000 },
    ],
  }),
  GuardianBlindError: new errors.GuardianBlindError({
    dir: '/d',
    pid: 7,
    backend: 'flock',
    ours: 'migrating:2:flock:sysv',
  }),
  ConnectTimeoutError: new errors.ConnectTimeoutError({ dir: '/d', timeoutMs: 5, waitedFor: 'the guardian', logTail }),
  ServerFailedError: new errors.ServerFailedError(
    { dir: '/d', reason: 'no memory', logTail },
    { cause: new Error('c') },
  ),
  ServerCrashLoopError: new errors.ServerCrashLoopError({ dir: '/d', starts: 5, withinMs: 60_000, logTail }),
  OlderDataError: new errors.OlderDataError({ path: '/d/data/engine.json', written: 2, running: 3 }),
  NewerProtocolError: new errors.NewerProtocolError({ path: '/p', found: 2, supported: 1, writtenBy: '9.0.0' }),
  OlderProtocolError: new errors.OlderProtocolError({
    dir: '/d',
    guardianPid: 7,
    found: 1,
    needed: 2,
    version: '0.1.0',
  }),
  RestartTimeoutError: new errors.RestartTimeoutError({
    dir: '/d',
    guardianPid: 7,
    state: 'serving',
    waitedMs: 5,
    withdrawn: true,
  }),
  StoppedOnRequestError: new errors.StoppedOnRequestError({ dir: '/d', epoch: 3 }),
  LeaseLostError: new errors.LeaseLostError({ dir: '/d', reason: 'the slot is gone' }),
  GuardianLaunchError: new errors.GuardianLaunchError({ reason: 'no script', remedy: 'Install it.' }),
  KeeperLaunchError: new errors.KeeperLaunchError({ reason: 'no script', remedy: 'Install it.' }),
  KeeperUnreachableError: new errors.KeeperUnreachableError({ path: '/p', pid: 7, reason: 'does not end' }),
  StopTimeoutError: new errors.StopTimeoutError({ dir: '/d', guardianPid: 7, state: 'serving', timeoutMs: 5 }),
  InsideGuardianError: new errors.InsideGuardianError(),
  CredentialsMissingError: new errors.CredentialsMissingError({ path: '/p', database: '/b', found: 'is missing' }),
  DataEngineMismatchError: new errors.DataEngineMismatchError({
    path: '/p',
    recorded: engine,
    asked: { ...engine, storage: 'x' },
  }),
  UpgradeNeededError: new errors.UpgradeNeededError({
    path: '/p',
    recorded: engine,
    asked: { ...engine, version: '9.0.0' },
  }),
  NewerDataError: new errors.NewerDataError({ path: '/p', recorded: engine, asked: { ...engine, version: '1.0.0' } }),
  EngineRecordDamagedError: new errors.EngineRecordDamagedError({ path: '/p', found: 'is damaged' }),
  ServerLockHeldError: new errors.ServerLockHeldError({
    path: '/p',
    holders: [{ pid: 7 }, { pid: 8, program: 'vi' }],
    reason: 'not started from this directory',
  }),
  ForeignNamespaceError: new errors.ForeignNamespaceError({ dir: '/d', pid: 7 }),
  PortTakenError: new errors.PortTakenError({ host: '127.0.0.1', port: 8000 }),
  StrangerOnPortError: new errors.StrangerOnPortError({ host: '127.0.0.1', port: 8000, serverPid: 7 }),
  DirectoryGoneError: new errors.DirectoryGoneError({ dir: '/d' }),
  HomeUnknownError: new errors.HomeUnknownError('HOME is empty'),
  ConfigFileError: new errors.ConfigFileError({ path: '/p', line: 3, problem: 'no' }),
  StateFileUnsafeError: new errors.StateFileUnsafeError('/p', 'is odd', 'Remove it'),
  ProcessIdentityUnavailableError: new errors.ProcessIdentityUnavailableError('no /proc'),
}

const CLASSES = new Map(Object.entries(errors))

for (const [name, example] of Object.entries(EXAMPLES)) {
  test(`${name} arrives in another process as what it was`, () => {
    const wire = JSON.parse(JSON.stringify(serializeError(example)))
    expect(isSerializedError(wire)).toBe(true)
    const rebuilt = rebuildError(wire)
    expect(rebuilt).toBeInstanceOf(CLASSES.get(name) ?? expect.unreachable())
    expect(rebuilt).toBeInstanceOf(ProcrefError)
    expect(rebuilt).toMatchObject({ ...example, message: example.message, name })
    expect(String(rebuilt.stack)).toContain(example.message.split('\n')[0])
  })
}

test('every code is its own', () => {
  const codes = Object.values(EXAMPLES).map(({ code }) => code)
  expect(new Set(codes).size).toBe(codes.length)
  for (const code of codes) expect(code).toMatch(/^PROCREF_[A-Z_]+$/)
})

test('each difference, each holder and the log are in the message', () => {
  expect(EXAMPLES.ConfigMismatchError.message).toContain('storage is "rocksdb", asked for was "memory"')
  expect(EXAMPLES.ConfigMismatchError.message).toContain('port is null, asked for was 8000')
  expect(EXAMPLES.ServerLockHeldError.message).toContain('process 7, process 8 (vi)')
  expect(EXAMPLES.ServerFailedError.message).toMatch(/no memory.*\n {2}first\n {2}last$/s)
  expect(EXAMPLES.ConnectTimeoutError.message).toContain('waiting for the guardian')
})

test('the message is carried to the letter, not made anew, and unknown facts come along', () => {
  const wire = {
    ...serializeError(EXAMPLES.PortTakenError),
    message: 'worded by another version',
    details: { newFact: [1] },
  }
  expect(rebuildError(wire)).toMatchObject({
    code: 'PROCREF_PORT_TAKEN',
    message: 'worded by another version',
    newFact: [1],
  })
})

test("a procref error of another package keeps code, name and facts, a system's error its errno", () => {
  class DriverError extends ProcrefError {
    readonly file = '/usr/bin/surreal'
  }
  const rebuilt = rebuildError(serializeError(new DriverError('PROCREF_DRIVER', 'no executable')))
  expect(rebuilt).toBeInstanceOf(ProcrefError)
  expect(rebuilt).toMatchObject({
    code: 'PROCREF_DRIVER',
    name: 'DriverError',
    message: 'no executable',
    file: '/usr/bin/surreal',
  })
  const system = Object.assign(new Error('EACCES: x'), { code: 'EACCES', errno: -13, syscall: 'open', path: '/p' })
  expect(rebuildError(serializeError(system))).toMatchObject({
    code: 'EACCES',
    errno: -13,
    syscall: 'open',
    path: '/p',
  })
})

test('causes are kept, and a ring of them ends', () => {
  const root = Object.assign(new Error('root'), { code: 'ENOENT' })
  const outer = new errors.LeaseLostError({ dir: '/d', reason: 'r' }, { cause: root })
  expect(rebuildError(serializeError(outer))).toMatchObject({ cause: { message: 'root', code: 'ENOENT' } })
  root.cause = outer
  const text = JSON.stringify(serializeError(outer))
  expect(text.length).toBeLessThan(5_000)
})

test('an unexpected error keeps its stack, an expected one does not', () => {
  const wire = serializeError(new TypeError('x is not a function'))
  expect(rebuildError(wire)).toMatchObject({
    name: 'TypeError',
    stack: expect.stringContaining('serialized-error.test'),
  })
  expect(serializeError(EXAMPLES.PortTakenError).stack).toBeUndefined()
})

test('whatever was thrown can be carried', () => {
  const ring: Record<string, unknown> = {}
  ring.self = ring
  const odd = Object.assign(new Error('odd'), {
    ring,
    fn: () => {},
    big: 1n,
    nan: Number.NaN,
    date: new Date(),
    fine: { a: [1, 'b', null] },
  })
  expect(serializeError(odd).details).toEqual({ fine: { a: [1, 'b', null] } })
  for (const thrown of ['text', 7, null, undefined, { message: 'plain' }, Symbol('s')]) {
    expect(isSerializedError(JSON.parse(JSON.stringify(serializeError(thrown))))).toBe(true)
  }
})

test('what is no serialized error is told from one', () => {
  const wire = serializeError(new Error('x'))
  for (const wrong of [
    null,
    'x',
    {},
    { ...wire, code: 1 },
    { ...wire, message: 1 },
    { ...wire, details: null },
    { ...wire, cause: {} },
  ]) {
    expect(isSerializedError(wrong)).toBe(false)
  }
})

test('a chain of causes that is deeper than calls can be is none', () => {
  const [open, close] = ['{"name":"E","message":"m","details":{},"cause":', '}']
  const chain = (length: number): unknown =>
    JSON.parse(`${open.repeat(length)}{"name":"E","message":"m","details":{}}${close.repeat(length)}`)
  expect(isSerializedError(chain(10))).toBe(true)
  expect(isSerializedError(chain(20_000))).toBe(false)
})
