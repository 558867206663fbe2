import { describe, expect, test } from 'vitest'
import { chooseSurreal } from '../../dist/drivers/surreal-options.js'
import { checkVersion, syncEnvironment } from '../../dist/drivers/surreal-versions.js'

const DENIED = {
  'capabilities.guests': false,
  'capabilities.scripting': false,
  'capabilities.network': false,
  'capabilities.experimental': [],
}

describe('the options of a SurrealDB driver', () => {
  test('left out: synced before it is acknowledged, and nothing is allowed', () => {
    expect(chooseSurreal({}).settings).toEqual({ storage: 'rocksdb', sync: 'every', ...DENIED })
    expect(chooseSurreal({ storage: 'memory' }).settings).toEqual({ storage: 'memory', ...DENIED })
  })

  test('only what was said has to be the same in a running server', () => {
    expect(chooseSurreal({}).asked).toEqual({ storage: 'rocksdb' })
    expect(chooseSurreal({ sync: 'every', capabilities: { network: false } }).asked).toEqual({
      storage: 'rocksdb',
      sync: 'every',
      'capabilities.network': false,
    })
  })

  test('what they are rebuilt from makes the same choice', () => {
    const choice = chooseSurreal({ sync: '5s', capabilities: { network: ['b.example', 'a.example'], guests: true } })
    expect(chooseSurreal(JSON.parse(JSON.stringify(choice.options)))).toEqual(choice)
  })

  test('the same hosts in another order are the same setting, and none of them is nowhere', () => {
    const networkOf = (network: readonly string[]): unknown => chooseSurreal({ capabilities: { network } }).network
    expect(networkOf(['b.example', 'a.example:80', 'b.example'])).toEqual(['a.example:80', 'b.example'])
    expect(networkOf([])).toBe(false)
  })

  test.each(['example.com', 'example.com:443', '127.0.0.1:80', '10.0.0.0/8', '::1', '[::1]:80', 'fd00::/8'])(
    '%s is a place in the network',
    (host) => {
      expect(chooseSurreal({ capabilities: { network: [host] } }).network).toEqual([host])
    },
  )

  test.each(['', '*', 'a,b', 'a b', '--allow-all', 'a:b:c', 'a:99999', '10.0.0.0/33', 'a/8', 'user@host', 'a?b'])(
    '%j is none, and refused before a server is asked',
    (host) => {
      expect(() => chooseSurreal({ capabilities: { network: [host] } })).toThrow(/^capabilities\.network: /)
    },
  )

  test('the same experimental features in another order are the same setting', () => {
    const choice = chooseSurreal({ capabilities: { experimental: ['surrealism', 'files', 'files'] } })
    expect(choice.experimental).toEqual(['files', 'surrealism'])
    expect(choice.asked).toEqual({ storage: 'rocksdb', 'capabilities.experimental': ['files', 'surrealism'] })
    expect(chooseSurreal(JSON.parse(JSON.stringify(choice.options))).settings).toEqual(choice.settings)
  })

  test.each(['', '*', 'files,surrealism', 'a b', '--allow-all', 'Files'])(
    '%j is no experimental feature, and refused before a server is asked',
    (name) => {
      expect(() => chooseSurreal({ capabilities: { experimental: [name] } })).toThrow(/^capabilities\.experimental: /)
    },
  )

  test.each(['100ms', '0s', 'always', '5', '', '1h30m', '-5s'])(
    'sync %j, which SurrealDB would ignore, is refused',
    (sync) => {
      expect(() => chooseSurreal({ sync: sync as 'every' })).toThrow(/^sync: /)
    },
  )

  test('sync in memory is refused', () => {
    expect(() => chooseSurreal({ storage: 'memory', sync: 'every' })).toThrow(/never synced/)
  })
})

describe('versions of the server', () => {
  const file = '/opt/surreal'

  test.each(['2.6.0', '2.6.5', '3.0.0-beta.1', '3.3.5', '3.4.0-nightly', '4.0.0', 'unheard of'])(
    '%s is started',
    (version) => {
      checkVersion(file, version)
    },
  )

  test.each(['1.5.6', '2.5.9', '2.6.0-beta.1'])(
    '%s is too old: the error names the program, its version and the oldest',
    (version) => {
      expect(() => checkVersion(file, version)).toThrow(
        expect.objectContaining({
          code: 'PROCREF_SERVER_TOO_OLD',
          message: expect.stringMatching(/^\/opt\/surreal is SurrealDB .*2\.6\.0 or newer.*PROCREF_SURREAL_BIN/),
        }),
      )
    },
  )

  test.each([
    ['2.6.5', 'every', { SURREAL_SYNC_DATA: 'true' }],
    ['2.6.5', 'never', { SURREAL_SYNC_DATA: 'false' }],
    ['3.0.0-alpha.1', 'every', { SURREAL_DATASTORE_SYNC_DATA: 'every' }],
    ['3.3.5', 'never', { SURREAL_DATASTORE_SYNC_DATA: 'never' }],
    ['4.0.0', '5s', { SURREAL_DATASTORE_SYNC_DATA: '5s' }],
  ] as const)('%s is told to sync %s in its own words', (version, sync, environment) => {
    expect(syncEnvironment(file, version, sync)).toEqual(environment)
  })

  test('2.x cannot sync in the background, and is not told to do something else', () => {
    expect(() => syncEnvironment(file, '2.6.5', '5s')).toThrow(/`sync: '5s'` wants 3\.0\.0 or newer/)
  })
})
