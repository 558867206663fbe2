import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { atEnd, isRoot, startProgram } from '@procref/testing'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { choosePort } from '../../dist/guardian/port.js'

const PORT_JS = new URL('../../dist/guardian/port.js', import.meta.url).href

afterEach(() => void vi.restoreAllMocks())

/** The first port that everybody may listen on; containers often have 0. */
function firstFreeForAll(): number {
  if (process.platform !== 'linux') return 0
  return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'))
}

test.runIf(firstFreeForAll() > 1)(
  'a port that is not for this user to listen on is told as that, not as taken',
  async () => {
    const script = `
    import { choosePort } from '${PORT_JS}'
    try { await choosePort({ host: '127.0.0.1', demanded: 1, signal: new AbortController().signal }) }
    catch (error) { console.log(JSON.stringify({ code: error.code, message: error.message })) }`
    const node = [process.execPath, '--input-type=module', '-e', script]
    // Root may: it has to go without the capability.
    const [file = '', ...args] = isRoot() ? ['setpriv', '--bounding-set=-net_bind_service', ...node] : node
    const child = atEnd(startProgram(file, { args }))
    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(JSON.parse(child.stdout())).toEqual({
      code: 'PROCREF_PORT_TAKEN',
      message:
        'The system does not let this user listen on 127.0.0.1:1, as on most ports below 1024. Ask for another port (or for none).',
    })
  },
)

/** The first port that the system gives to whoever binds or connects without asking for one. */
function firstGivenAway(): number {
  if (process.platform !== 'linux') return 49_152
  return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t')[0])
}

test.runIf(firstGivenAway() >= 32_768)(
  'a port that nobody has asked for is none that the system gives to somebody else while a server is replaced',
  async () => {
    const { signal } = new AbortController()
    const ports = await Promise.all(Array.from({ length: 20 }, () => choosePort({ host: '127.0.0.1', signal })))
    expect(ports.filter((port) => port < 1_024 || port >= firstGivenAway())).toEqual([])
    // Two directories' servers that start at the same moment are not after the same one.
    expect(new Set(ports).size).toBeGreaterThan(10)
  },
)

test.runIf(process.platform === 'linux' && firstGivenAway() >= 32_768)(
  'where none of those can be had, it is one that the system gives',
  async () => {
    // At an address of its own, or no guardian of another test could have it meanwhile.
    const host = '127.0.0.3'
    const wish = { host, signal: new AbortController().signal }
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const chosen = await choosePort(wish)
    expect(chosen).toBeLessThan(firstGivenAway())
    const server = createServer().listen(chosen, host)
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    expect(await choosePort(wish)).toBeGreaterThanOrEqual(firstGivenAway())
  },
)

test.runIf(process.platform === 'linux')('a port that another program is known for is none of ours', async () => {
  const wish = { host: '127.0.0.3', signal: new AbortController().signal }
  const drawn = (port: number) => vi.spyOn(Math, 'random').mockReturnValueOnce((port + 0.5 - 20_000) / 10_000)
  drawn(27_016)
  expect(await choosePort(wish)).toBe(27_016)
  // MongoDB's.
  drawn(27_017)
  expect(await choosePort(wish)).not.toBe(27_017)
})

test('what is wrong with the address, and not with a port, is no reason to try another one', async () => {
  const { signal } = new AbortController()
  // For documentation: nobody has this address.
  await expect(choosePort({ host: '192.0.2.1', signal })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
})
