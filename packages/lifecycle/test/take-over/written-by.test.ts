import { expect, test } from 'vitest'
import { isUnrecorded, writtenBy } from '../../dist/take-over/written-by.js'

const line = (level: string, words: string): string =>
  `2026-01-01T00:00:00.000000Z  ${level} surrealdb::core::kvs::migration: ${words}\n`
/** What a server says of a new database. */
const control = line('INFO', 'Datastore version recorded version=3.3.5')

test('the version that is recorded in the data is told by the server that opens them', () => {
  const older = line('INFO', 'Datastore version advanced from=3.3.0 to=3.3.5')
  expect(writtenBy(older, control, '3.3.5')).toEqual({ kind: 'version', version: '3.3.0' })
  const newer = line(
    'WARN',
    'This datastore was last written by a newer version of SurrealDB. No stored=3.4.0-beta.1 running=3.3.5',
  )
  expect(writtenBy(newer, control, '3.3.5')).toEqual({ kind: 'version', version: '3.4.0-beta.1' })
  const before = line(
    'WARN',
    'stored=3.4.0 running=3.3.5 This datastore was last written by a newer version of SurrealDB.',
  )
  expect(writtenBy(before, control, '3.3.5')).toEqual({ kind: 'version', version: '3.4.0' })
})

test('where it records its version for the first time, an older one had them', () => {
  expect(writtenBy(control, control, '3.3.5')).toEqual({ kind: 'before', before: '3.3.0' })
  expect(isUnrecorded('3.2.4')).toBe(true)
  expect(isUnrecorded('3.3.0')).toBe(false)
})

test('silence is its own version, but only from a server that says something of a new database', () => {
  expect(writtenBy('', control, '3.3.5')).toEqual({ kind: 'version', version: '3.3.5' })
  expect(writtenBy('', '', '3.0.2')).toEqual({ kind: 'unknown' })
  expect(writtenBy(line('INFO', 'Datastore version advanced from=3.3.0 to=3.3.5'), 'in other words', '4.0.0')).toEqual({
    kind: 'unknown',
  })
})
