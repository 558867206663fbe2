import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { checkEngine, readEngineDriver, readEngineRecord, writeEngineRecord } from '../../dist/state/engine-record.js'
import { readUpgradeConsent, writeUpgradeConsent } from '../../dist/state/upgrade-consent.js'

const engine = { engine: 'surrealdb', version: '3.3.5', storage: 'rocksdb' }
const path = '/data/engine.json'

test('what wrote last is read as it was recorded, and nothing where nothing wrote', () => {
  const file = join(freshDir(), 'engine.json')
  expect(readEngineRecord(file)).toBeUndefined()
  writeEngineRecord(file, engine, 'surreal-binary')
  expect(readEngineRecord(file)).toEqual(engine)
  expect(readEngineDriver(file)).toBe('surreal-binary')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  writeEngineRecord(file, { ...engine, version: '3.4.0' }, 'surreal-binary')
  expect(readEngineRecord(file)?.version).toBe('3.4.0')
})

test('a record torn at any byte is an error, not "nothing wrote"', () => {
  const dir = freshDir()
  const file = join(dir, 'engine.json')
  const damaged = expect.objectContaining({ code: 'PROCREF_ENGINE_RECORD_DAMAGED', path: file })
  writeEngineRecord(file, engine, 'surreal-binary')
  const whole = readFileSync(file)
  for (let length = 0; length < whole.length - 2; length++) {
    writeFileSync(file, whole.subarray(0, length))
    expect(() => readEngineRecord(file)).toThrow(damaged)
  }
  writeFileSync(file, JSON.stringify(engine))
  expect(readEngineDriver(file)).toBeUndefined()
  writeFileSync(file, '{"engine":"surrealdb"}')
  expect(() => readEngineRecord(file)).toThrow(damaged)
  // It would be shown on a terminal.
  writeEngineRecord(file, { ...engine, version: '3.3.5\u001b[31m' }, 'surreal-binary')
  expect(() => readEngineRecord(file)).toThrow(damaged)
  symlinkSync(file, join(dir, 'link.json'))
  expect(() => readEngineRecord(join(dir, 'link.json'))).toThrow(/is a symbolic link/)
})

test('data of SurrealDB 2 are not opened by SurrealDB 3, whose storage would rewrite them first', () => {
  expect(() => checkEngine({ ...engine, version: '2.6.5' }, engine, path)).toThrow(
    expect.objectContaining({
      code: 'PROCREF_OLDER_DATA',
      path,
      message: expect.stringMatching(/data\/engine\.json.*export/),
    }),
  )
  checkEngine({ ...engine, version: '2.6.0' }, { ...engine, version: '2.6.5' }, path)
})

test('the same engine, one that differs in the last number, and fresh data may be opened', () => {
  checkEngine(undefined, engine, path)
  checkEngine(engine, engine, path)
  checkEngine(engine, { ...engine, version: '3.3.10' }, path)
})

test('another minor version is opened only by somebody who has agreed to exactly that', () => {
  const steps = [
    ['3.0.2', '3.3.5'],
    ['3.3.5', '3.10.0'],
    ['3.3.5', '4.0.0-beta.1'],
    ['4.0.0-beta.1', '4.0.0-beta.2'],
    ['4.0.0-beta.2', '4.0.0'],
    ['2.6.5', '2.7.0'],
  ] as const
  for (const [from, to] of steps) {
    const [recorded, asked] = [
      { ...engine, version: from },
      { ...engine, version: to },
    ]
    const refused = expect.objectContaining({
      ...{ code: 'PROCREF_UPGRADE_NEEDED', path, recorded, asked },
      message: expect.stringMatching(
        new RegExp(`engine\\.json.*${from}.*${to}.*Nothing was changed.*procref upgrade`, 's'),
      ),
    })
    expect(() => checkEngine(recorded, asked, path), `${from} to ${to}`).toThrow(refused)
    for (const consent of [
      { from: { ...recorded, version: '1.0.0' }, to },
      { from: { ...recorded, storage: 'surrealkv' }, to },
      { from: recorded, to: '9.9.9' },
    ]) {
      expect(() => checkEngine(recorded, asked, path, consent), `${from} to ${to}`).toThrow(refused)
    }
    checkEngine(recorded, asked, path, { from: recorded, to })
    // It opens no way back.
    expect(() => checkEngine(asked, recorded, path, { from: asked, to: from })).toThrow(
      expect.objectContaining({ code: 'PROCREF_NEWER_DATA' }),
    )
  }
})

test('what is agreed to survives being written, and nothing that cannot be understood agrees to anything', () => {
  const file = join(freshDir(), 'upgrade.json')
  expect(readUpgradeConsent(file)).toBeUndefined()
  writeUpgradeConsent(file, { from: engine, to: '3.4.0' })
  expect(readUpgradeConsent(file)).toEqual({ from: engine, to: '3.4.0' })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const whole = readFileSync(file)
  for (let length = 0; length < whole.length - 2; length++) {
    writeFileSync(file, whole.subarray(0, length))
    expect(readUpgradeConsent(file)).toBeUndefined()
  }
  for (const wrong of [null, [], { from: engine }, { from: { ...engine, version: 3 }, to: '3.4.0' }]) {
    writeFileSync(file, JSON.stringify(wrong))
    expect(readUpgradeConsent(file)).toBeUndefined()
  }
})

test('another storage or engine is refused, naming both', () => {
  for (const asked of [
    { ...engine, storage: 'surrealkv' },
    { ...engine, engine: 'other' },
  ]) {
    expect(() => checkEngine(engine, asked, path)).toThrow(
      expect.objectContaining({ code: 'PROCREF_DATA_ENGINE_MISMATCH', recorded: engine, asked }),
    )
  }
  expect(() => checkEngine(engine, { ...engine, storage: 'surrealkv' }, path)).toThrow(
    /engine\.json.*3\.3\.5 \(rocksdb\).*3\.3\.5 \(surrealkv\)/s,
  )
})

test('data of a newer version are refused; versions are compared as versions, not as text', () => {
  const ascending = [
    '2.6.5',
    '3.0.0-alpha.9',
    '3.0.0-alpha.10',
    '3.0.0-beta',
    '3.0.0',
    '3.0.2',
    '3.3.5',
    '3.10.0',
    '10.0.0',
  ]
  // What SurrealDB itself makes of major versions has a test of its own.
  const some = { ...engine, engine: 'some-database' }
  for (const [i, older] of ascending.entries()) {
    for (const newer of ascending.slice(i + 1)) {
      checkEngine({ ...some, version: older }, { ...some, version: newer }, path)
      expect(
        () => checkEngine({ ...some, version: newer }, { ...some, version: older }, path),
        `${newer} > ${older}`,
      ).toThrow(expect.objectContaining({ code: 'PROCREF_NEWER_DATA' }))
    }
  }
  checkEngine({ ...engine, version: '3.0.0+build.2' }, { ...engine, version: 'v3.0' }, path)
})

test('versions without an order are let through', () => {
  checkEngine({ ...engine, version: 'nightly' }, { ...engine, version: '3.3.5' }, path)
  checkEngine({ ...engine, version: '3.3.5' }, { ...engine, version: 'nightly' }, path)
})
