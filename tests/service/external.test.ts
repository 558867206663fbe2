import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { flock } from '@procref/flock'
import { connect, type ExternalCredentials, external } from '@procref/lifecycle'
import {
  atEnd,
  type Child,
  eventually,
  freshDir,
  isAlive,
  lockUsers,
  servantsOf,
  surrealBinary,
} from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  PASSWORD,
  type RealOptions,
  startEmbedded,
  startReal,
  type TestServer,
  USER,
} from '../../packages/embedded/test/server.ts'
import { selfSigned } from './self-signed.ts'
import { counted, killed, serviceDir, startClient, stopped, wroteRow } from './service.ts'

type Kind = 'embedded' | 'binary'

const KINDS: readonly Kind[] = surrealBinary() === undefined ? ['embedded'] : ['embedded', 'binary']

/** A server that no procref manages: it stands for one on another machine. */
async function startElsewhere(
  kind: Kind,
  options: Pick<RealOptions, 'storage' | 'databaseDir' | 'port'> = {},
): Promise<TestServer> {
  const server = kind === 'embedded' ? await startEmbedded(options) : await startReal(options)
  return atEnd(server ?? expect.unreachable('PROCREF_SURREAL_BIN is not set'))
}

const urlOf = ({ port }: { readonly port: number }): string => `ws://127.0.0.1:${port}`

interface ClientOptions extends Readonly<Record<string, unknown>> {
  readonly credentials?: ExternalCredentials
  readonly env?: Readonly<Record<string, string>>
}

/** A client process of that server. */
function startUser(dir: string, url: string, options: ClientOptions = {}): Child {
  const { credentials = { user: USER, password: PASSWORD }, env = {}, ...rest } = options
  const secret = { EXTERNAL_CREDENTIALS: JSON.stringify(credentials) }
  return startClient(dir, { driver: 'external', url, ...rest }, { ...secret, ...env })
}

/** The events of a client that uses a server elsewhere. */
interface UserConnected {
  readonly slot: number
  readonly epoch: number
  readonly port: number
  readonly serverPid?: number
  readonly guardianPid?: number
  readonly durable?: boolean
}

const connectedUser = async (client: Child): Promise<UserConnected> => await client.event<UserConnected>('connected')

/** Everything that lies in the directory, as text. */
function filesOf(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

describe.each(KINDS)('a server elsewhere (%s)', (kind) => {
  test('is shared by several processes with a slot each; no guardian, no server and no record of one is made, and nothing is left', async () => {
    const server = await startElsewhere(kind)
    const dir = serviceDir()
    const users = [startUser(dir, urlOf(server)), startUser(dir, urlOf(server)), startUser(dir, urlOf(server))]
    const seen = await Promise.all(users.map(connectedUser))
    expect(new Set(seen.map(({ slot }) => slot)).size).toBe(3)
    for (const { port, serverPid, guardianPid, durable } of seen) {
      expect({ port, serverPid, guardianPid, durable }).toEqual({ port: server.port })
    }
    for (const user of users) await wroteRow(user)
    expect(await counted(users[0] ?? expect.unreachable())).toBe(3)
    expect(readdirSync(dir)).toEqual(['external'])
    expect(servantsOf(dir)).toEqual([])
    expect(filesOf(dir)).not.toContain(PASSWORD)
    await Promise.all(users.map(killed))
    expect(lockUsers(dir)).toEqual([])
    expect(readdirSync(dir)).toEqual(['external'])
    expect(isAlive(server.child.pid)).toBe(true)
  })

  test('that is killed while 4 processes write, and comes back at its address, has every acknowledged row, and everybody goes on', async () => {
    const place = { storage: 'rocksdb', databaseDir: `${freshDir()}/db` } as const
    const server = await startElsewhere(kind, place)
    const dir = serviceDir()
    const users = Array.from({ length: 4 }, () => startUser(dir, urlOf(server)))
    await Promise.all(users.map(connectedUser))
    for (const user of users) user.send('write')
    await Promise.all(users.map((user) => user.event('writing')))
    server.child.kill('SIGKILL')
    await server.child.exited
    const reconnected = Promise.all(users.map((user) => user.event<{ epoch: number; port: number }>('reconnected')))
    await startElsewhere(kind, { ...place, port: server.port })
    expect(await reconnected).toMatchObject(users.map(() => ({ epoch: 2, port: server.port })))
    for (const user of users) user.send('stop')
    const wrote = await Promise.all(users.map((user) => user.event<{ acknowledged: number }>('wrote')))
    const acknowledged = wrote.reduce((sum, user) => sum + user.acknowledged, 0)
    const rows = await counted(users[0] ?? expect.unreachable())
    // A write in flight at the kill may be there without having been acknowledged: at most one a client.
    expect(rows).toBeGreaterThanOrEqual(acknowledged)
    expect(rows).toBeLessThanOrEqual(acknowledged + users.length)
    expect(readdirSync(dir)).toEqual(['external'])
  })

  test('that is killed and does not come back: the lease is lost with the reason, its slot is free, and the program ends', async () => {
    const server = await startElsewhere(kind)
    const dir = serviceDir()
    const user = startUser(dir, urlOf(server), { timeoutMs: 10_000 })
    await connectedUser(user)
    server.child.kill('SIGKILL')
    const { code, text } = await user.event<{ code: string; text: string }>('lost', 60_000)
    expect([code, text]).toEqual(['PROCREF_EXTERNAL_UNREACHABLE', expect.stringMatching(/ECONNREFUSED|ECONNRESET/)])
    await eventually('its slot is free', () => lockUsers(dir).length === 0)
    user.end()
    expect(await user.exited).toEqual({ code: 0, signal: null })
  })

  test('lets nobody in with a wrong password: an error at once, which does not repeat it, and the slot is free', async () => {
    const server = await startElsewhere(kind)
    const dir = serviceDir()
    const user = startUser(dir, urlOf(server), { credentials: { user: USER, password: 'a-wrong-password' } })
    await expect(connectedUser(user)).rejects.toThrow(/PROCREF_EXTERNAL_REFUSED/)
    await user.exited
    expect(user.stdout() + user.stderr() + filesOf(dir)).not.toContain('a-wrong-password')
    expect(lockUsers(dir)).toEqual([])
  })

  test('has as many users of one machine as there are slots; who is killed makes room at once', async () => {
    const server = await startElsewhere(kind)
    const dir = serviceDir()
    const first = startUser(dir, urlOf(server), { slots: 1, label: 'the only one' })
    await connectedUser(first)
    const refused = startUser(dir, urlOf(server))
    await expect(connectedUser(refused)).rejects.toThrow(/All 1 slots are in use.*the only one \(ws:/s)
    await killed(first)
    await connectedUser(startUser(dir, urlOf(server)))
  })

  test('and one of this machine are used in one directory at the same time, and neither keeps the other up', async () => {
    const server = await startElsewhere(kind)
    const dir = serviceDir()
    const user = startUser(dir, urlOf(server), { slots: 1 })
    await connectedUser(user)
    const local = startClient(dir, { driver: kind, storage: 'memory', slots: 1 })
    const { port } = await local.event<{ port: number }>('connected')
    expect(port).not.toBe(server.port)
    await wroteRow(local)
    expect(await counted(user)).toBe(0)
    await killed(local)
    await stopped(dir, port)
    await wroteRow(user)
    expect(await counted(user)).toBe(1)
  })
})

describe.each(KINDS)('who signs in to a server elsewhere (%s)', (kind) => {
  const names = { namespace: 'shop', database: 'orders' }

  async function open(server: TestServer, dir: string, credentials: ExternalCredentials) {
    const driver = external({ url: urlOf(server), credentials })
    const lease = await connect({ dir, backend: flock(), driver, ...names })
    onTestFinished(() => lease.close())
    return lease
  }

  test('its administrator, to whom the namespace and database that were missing are made', async () => {
    const lease = await open(await startElsewhere(kind), serviceDir(), { user: USER, password: PASSWORD })
    expect([lease.db.namespace, lease.db.database]).toEqual([names.namespace, names.database])
    expect(await lease.db.query('CREATE ONLY one:1 SET n = 1 RETURN VALUE n')).toEqual([1])
  })

  test('whoever a token is for', async () => {
    const server = await startElsewhere(kind)
    const dir = serviceDir()
    const { db } = await open(server, dir, { user: USER, password: PASSWORD })
    const token = db.accessToken ?? expect.unreachable('the administrator has a token')
    const lease = await open(server, dir, { token })
    expect(await lease.db.query('CREATE ONLY one:1 SET n = 1 RETURN VALUE n')).toEqual([1])
    expect(filesOf(dir)).not.toContain(token)
  })
})

describe.runIf(surrealBinary() !== undefined)('users that are no administrators', () => {
  test.each([
    ['of the server, who may only read', 'ROOT', {}, 'VIEWER'],
    ['of a namespace', 'NAMESPACE', { namespace: 'shop' }, 'EDITOR'],
    ['of a database', 'DATABASE', { namespace: 'shop', database: 'orders' }, 'EDITOR'],
    ['of a database, who may only read', 'DATABASE', { namespace: 'shop', database: 'orders' }, 'VIEWER'],
  ])('%s', async (_who, level, scope, role) => {
    const server = await startElsewhere('binary')
    const dir = serviceDir()
    const names = { namespace: 'shop', database: 'orders' }
    const options = { dir, backend: flock(), ...names }
    const owner = await connect({
      ...options,
      driver: external({ url: urlOf(server), credentials: { user: USER, password: PASSWORD } }),
    })
    onTestFinished(() => owner.close())
    await owner.db.query(`CREATE one:1; DEFINE USER ann ON ${level} PASSWORD 'the-word' ROLES ${role}`)
    const credentials = { user: 'ann', password: 'the-word', ...scope }
    const lease = await connect({ ...options, driver: external({ url: urlOf(server), credentials }) })
    onTestFinished(() => lease.close())
    expect(await lease.db.query('SELECT VALUE id FROM one')).toMatchObject([[{ id: 1 }]])
  })
})

describe('over TLS', () => {
  /** Takes TLS off, as the proxy before a server does. */
  async function startProxy(port: number) {
    const { key, cert } = selfSigned()
    const authority = join(freshDir(), 'authority.pem')
    writeFileSync(authority, cert)
    let heard = 0
    const proxy = createTlsServer({ key, cert }, (outside) => {
      const inside = connectTcp(port, '127.0.0.1')
      for (const socket of [inside, outside]) socket.on('error', () => {})
      outside.on('data', (bytes) => {
        heard += bytes.length
      })
      outside.pipe(inside).pipe(outside)
      onTestFinished(() => void [inside, outside].map((socket) => socket.destroy()))
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void proxy.close())
    const address = proxy.address()
    if (address === null || typeof address === 'string') throw new Error('it does not listen on a port')
    return { port: address.port, authority, heard: () => heard }
  }

  test.each(['wss', 'https'])('%s: with the authority in NODE_EXTRA_CA_CERTS', async (scheme) => {
    const proxy = await startProxy((await startElsewhere('embedded')).port)
    const user = startUser(serviceDir(), `${scheme}://127.0.0.1:${proxy.port}`, {
      env: { NODE_EXTRA_CA_CERTS: proxy.authority },
    })
    await connectedUser(user)
    await wroteRow(user)
    expect(await counted(user)).toBe(1)
  })

  test('without it: an error at once that names the variable, and not a byte was sent', async () => {
    const proxy = await startProxy((await startElsewhere('embedded')).port)
    const dir = serviceDir()
    const user = startUser(dir, `wss://127.0.0.1:${proxy.port}`)
    await expect(connectedUser(user)).rejects.toThrow(/PROCREF_EXTERNAL_TLS.*SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS=/s)
    expect(proxy.heard()).toBe(0)
    await user.exited
    expect(lockUsers(dir)).toEqual([])
  })
})
