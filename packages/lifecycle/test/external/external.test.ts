import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type ExternalOptions, external } from '../../dist/external/external.js'

const credentials = { user: 'ann', password: 'the-password' }

const urlOf = (url: string, options: Partial<ExternalOptions> = {}): string =>
  external({ url, credentials, ...options }).url

describe('the address of an external server', () => {
  test.each([
    ['wss://db.example.com', 'wss://db.example.com/rpc'],
    ['wss://db.example.com:8000/', 'wss://db.example.com:8000/rpc'],
    ['https://db.example.com:8000', 'wss://db.example.com:8000/rpc'],
    ['https://db.example.com/surreal/', 'wss://db.example.com/surreal/rpc'],
    ['https://db.example.com/surreal/rpc', 'wss://db.example.com/surreal/rpc'],
    ['ws://127.0.0.1:8000/rpc', 'ws://127.0.0.1:8000/rpc'],
    ['http://localhost:8000', 'ws://localhost:8000/rpc'],
    ['ws://[::1]:8000', 'ws://[::1]:8000/rpc'],
  ])('%s is that of its WebSocket: %s', (given, url) => {
    expect(urlOf(given)).toBe(url)
    expect(external({ url: new URL(given), credentials }).url).toBe(url)
  })

  test.each([
    ['db.example.com', /^url: this is not an address such as wss:/],
    ['', /^url: this is not an address/],
    ['ftp://db.example.com', /^url: the address has to begin with wss:/],
    ['rocksdb:///var/db', /^url: the address has to begin with wss:/],
    ['wss://db.example.com/?ns=a', /^url: nothing may stand behind the path/],
    ['wss://db.example.com/#a', /^url: nothing may stand behind the path/],
  ])('%j is refused', (given, message) => {
    expect(() => urlOf(given)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(message) }),
    )
  })

  test.each([
    'wss://ann:the-password@db.example.com',
    'wss://:the-password@db.example.com',
    'ann:the-password@db.example.com',
  ])('with a password in it, %s, it is refused, and the error does not repeat it', (given) => {
    const refused = expect.objectContaining({ name: 'TypeError', message: expect.not.stringContaining('the-password') })
    expect(() => urlOf(given)).toThrow(refused)
  })

  test('a user in it: the error says where user and password belong', () => {
    expect(() => urlOf('wss://ann@db.example.com')).toThrow(
      /db\.example\.com; take it out.*`credentials: \{ user, password \}`/,
    )
  })

  test.each(['ws://db.example.com:8000', 'http://10.0.0.7:8000', 'ws://localhost.example.com'])(
    '%s would send the password unencrypted to another machine: only when that is allowed',
    (given) => {
      expect(() => urlOf(given)).toThrow(/^url: .*unencrypted.*`allowPlaintext: true`/)
      expect(urlOf(given, { allowPlaintext: true })).toMatch(/^ws:/)
    },
  )
})

describe('the credentials for an external server', () => {
  test.each([
    [undefined, 'needed'],
    [{}, 'user is missing'],
    [{ user: 'ann' }, 'password is missing'],
    [{ user: 'ann', password: '' }, 'password is missing'],
    [{ user: 'ann', password: 'the-password', namespace: '' }, 'namespace is empty'],
    [{ user: 'ann', password: 'the-password', database: 'd' }, 'has a namespace'],
    [{ token: '' }, 'token is empty'],
    [{ token: 'a', user: 'ann', password: 'the-password' }, 'either a token'],
  ])('%j cannot be meant, and no value is in the error', async (given, what) => {
    const refused = expect.objectContaining({
      name: 'TypeError',
      message: expect.stringMatching(new RegExp(`^credentials: (?!.*the-password).*${what}`)),
    })
    expect(() => external({ url: 'wss://a', credentials: given as never })).toThrow(refused)
    await expect(external({ url: 'wss://a', credentials: () => given as never }).signIn()).rejects.toEqual(refused)
  })

  test.each([
    { user: 'ann', password: 'the-password' },
    { user: 'ann', password: 'the-password', namespace: 'n' },
    { user: 'ann', password: 'the-password', namespace: 'n', database: 'd' },
    { token: 'the-token' },
  ])('%j are given on as they are, also by a function', async (given) => {
    expect(await external({ url: 'wss://a', credentials: given }).signIn()).toEqual(given)
    expect(await external({ url: 'wss://a', credentials: async () => given }).signIn()).toEqual(given)
  })

  test('are in nothing that is printed or serialised of the driver', () => {
    const driver = external({ url: 'wss://a', credentials })
    const seen = [
      inspect(driver, { depth: 9, showHidden: true }),
      JSON.stringify(driver),
      String(Object.entries(driver)),
    ]
    expect(seen.join()).toContain('wss://a/rpc')
    expect(seen.join()).not.toContain('the-password')
  })
})

test.each([0, -1, 1.5, Number.NaN, 2 ** 31])('pingMs %s is refused', (pingMs) => {
  expect(() => urlOf('wss://a', { pingMs })).toThrow(/^pingMs must be a whole number/)
})
