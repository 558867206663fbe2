import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { failureReason } from '../../dist/guardian/failure-reasons.js'

const PACKAGES = resolve(import.meta.dirname, '../../..')

/** No start ends with these: they are a client's, a slot's or a command's. */
const NOT_OF_A_START = new Set([
  'PROCREF_BACKEND_UNAVAILABLE',
  'PROCREF_CONFIG_FILE',
  'PROCREF_CONFIG_MISMATCH',
  'PROCREF_CONNECT_TIMEOUT',
  'PROCREF_COPY_EXISTS',
  'PROCREF_DATABASE_PRESENT',
  'PROCREF_DATA_VERSION_UNKNOWN',
  'PROCREF_DIRECTORY_MOVING',
  'PROCREF_EXTERNAL_NOT_SURREALDB',
  'PROCREF_EXTERNAL_REFUSED',
  'PROCREF_EXTERNAL_TLS',
  'PROCREF_EXTERNAL_UNREACHABLE',
  'PROCREF_FOLDER_CHANGED',
  'PROCREF_FOLDER_IN_USE',
  'PROCREF_FOLDER_PASSWORD',
  'PROCREF_FOLDER_PLACE',
  'PROCREF_GUARDIAN_BLIND',
  'PROCREF_GUARDIAN_LAUNCH',
  'PROCREF_GUARDIAN_RUNS',
  'PROCREF_HOME_UNKNOWN',
  'PROCREF_INSIDE_GUARDIAN',
  'PROCREF_KEEPER_LAUNCH',
  'PROCREF_KEEPER_UNREACHABLE',
  'PROCREF_LEASE_LOST',
  'PROCREF_NOTHING_TO_MIGRATE',
  'PROCREF_NOT_A_DATABASE',
  'PROCREF_NOT_COPIED',
  'PROCREF_NO_BACKEND',
  'PROCREF_OLDER_PROTOCOL',
  'PROCREF_OTHER_MIGRATION',
  'PROCREF_POOL_CLOSED',
  'PROCREF_POOL_MOVED',
  'PROCREF_POOL_SIZE_MISMATCH',
  'PROCREF_PROTOCOL_MISMATCH',
  'PROCREF_PROTOCOL_UNREADABLE',
  'PROCREF_RESTART_TIMEOUT',
  'PROCREF_SDK_UNAVAILABLE',
  // What a record of an unknown error is read back as.
  'PROCREF_SERVER_FAILED',
  'PROCREF_SLOTS_EXHAUSTED',
  'PROCREF_SLOTS_HELD',
  'PROCREF_SLOT_FILE_UNSTABLE',
  'PROCREF_SLOT_LOST',
  'PROCREF_SLOT_PROBED',
  'PROCREF_STILL_IN_USE',
  'PROCREF_STOPPED_ON_REQUEST',
  'PROCREF_STOP_TIMEOUT',
  'PROCREF_TABLE_BEING_MADE',
  'PROCREF_TABLE_DAMAGED',
  'PROCREF_TABLE_UNSETTLED',
  'PROCREF_TABLE_UNSTABLE',
  'PROCREF_UNSUPPORTED_FILESYSTEM',
])

const codes = ['core', 'lifecycle', 'embedded'].flatMap((name) => {
  const source = join(PACKAGES, name, 'src')
  const files = readdirSync(source, { recursive: true }).map(String)
  const text = files.filter((file) => file.endsWith('.ts')).map((file) => readFileSync(join(source, file), 'utf8'))
  // Where an error class or a table of remedies gives the code, not where it is used.
  return text.flatMap((file) =>
    [...file.matchAll(/(?:code = |code: |super\(\s*)'(PROCREF_\w+)'/g)].map((match) => match[1] ?? ''),
  )
})

test.each([...new Set(codes)].filter((code) => !NOT_OF_A_START.has(code)))(
  'a start that fails with %s has a reason in the journal',
  (code) => {
    expect(failureReason({ code })).not.toBe('unexpected-error')
  },
)

test('the codes were found, and none is excused that does not exist', () => {
  expect(codes).toContain('PROCREF_DATABASE_LOCKED')
  expect([...NOT_OF_A_START].filter((code) => !codes.includes(code))).toEqual([])
})

test.each([undefined, null, new Error('something else'), { code: 'PROCREF_OF_ANOTHER_PACKAGE' }])(
  'what is not known (%s) is called so',
  (error) => {
    expect(failureReason(error)).toBe('unexpected-error')
  },
)
