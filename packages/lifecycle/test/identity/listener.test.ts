import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { identify, identifySelf, type ProcessIdentity } from '@procref/core'
import {
  asOtherUser,
  atEnd,
  type Child,
  eventually,
  freePort,
  isRoot,
  processState,
  startChild,
  startProgram,
} from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { findListener, proveListener } from '../../dist/identity/listener.js'

const program = new URL('../children/listener.mjs', import.meta.url)

interface Listening {
  readonly child: Child
  readonly server: ProcessIdentity
  readonly port: number
}

async function listenIn(child: Child, host: string, port: number = 0): Promise<Listening> {
  child.send(`${host} ${port}`)
  const listening = await child.event<{ port: number }>('listening')
  const server = identify(child.pid) ?? expect.unreachable()
  return { child, server, port: listening.port }
}

async function started(host: string = '127.0.0.1', port: number = 0): Promise<Listening> {
  return await listenIn(atEnd(startChild(program)), host, port)
}

async function listenHere(host: string): Promise<number> {
  const server: Server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

async function connectTo(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  // The other side may reset it when it ends.
  socket.on('error', () => {})
  return socket
}

if (process.platform === 'linux') {
  test('the server that listens is proven, another process is not', async () => {
    const { server, port } = await started()
    expect(proveListener({ port, server })).toBe('proven')
    expect(proveListener({ port, server: identifySelf() })).toBe('stranger')
    const here = await listenHere('127.0.0.1')
    expect(proveListener({ port: here, server })).toBe('stranger')
    expect(proveListener({ port: here, server: identifySelf() })).toBe('proven')
  })

  test('a port on which nobody listens has nobody, also while connections from it are open', async () => {
    const { child, server, port } = await started()
    const connection = await connectTo(port)
    await child.event('accepted')
    child.send('deaf')
    await child.event('deaf')
    expect(proveListener({ port, server })).toBe('nobody')
    expect(proveListener({ port: connection.localPort ?? 0, server: identifySelf() })).toBe('nobody')
  })

  test('a server that lives but has closed its listener does not vouch for the stranger on its port', async () => {
    // The server listens, on a port that nobody else is given meanwhile.
    const { child, server, port } = await started('127.0.0.1', await freePort())
    const socket = findListener({ port, server })
    expect(socket).toMatch(/^\d+$/)
    expect(proveListener({ port, server, socket: socket ?? '' })).toBe('proven')
    // It is told to die from outside: it closes its listener and goes on with a query.
    child.send('deaf')
    await child.event('deaf')
    // A stranger takes the port.
    await started('127.0.0.1', port)
    expect(proveListener({ port, server })).toBe('stranger')
    expect(proveListener({ port, server, socket: socket ?? '' })).toBe('stranger')
    expect(findListener({ port, server })).toBeUndefined()
  })

  test('a server that was killed is not proven by whoever has its port next', async () => {
    const { child, server, port } = await started('127.0.0.1', await freePort())
    const socket = findListener({ port, server }) ?? expect.unreachable()
    child.kill('SIGKILL')
    await child.exited
    expect(proveListener({ port, server, socket })).toBe('nobody')
    const next = await started('127.0.0.1', port)
    expect(proveListener({ port, server, socket })).toBe('stranger')
    expect(proveListener({ port, server: next.server })).toBe('proven')
  })

  test('what a wrapper has listen is proven with its session, and nobody else is', async () => {
    const wrapped = ['sh', '-c', '"$0" "$1"; exit $?', process.execPath, program.pathname]
    const { server, port } = await listenIn(atEnd(startProgram('setsid', { args: wrapped })), '127.0.0.1')
    expect(proveListener({ port, server })).toBe('stranger')
    expect(proveListener({ port, server, with: 'its session' })).toBe('proven')
    const other = await started()
    expect(proveListener({ port: other.port, server, with: 'its session' })).toBe('stranger')
    expect(proveListener({ port, server: other.server, with: 'its session' })).toBe('stranger')
  })

  test('a process that only has the recorded pid is a stranger', async () => {
    const { server, port } = await started()
    const socket = findListener({ port, server }) ?? expect.unreachable()
    const other = { ...server, startTicks: '1' }
    expect(proveListener({ port, server: other })).toBe('stranger')
    expect(proveListener({ port, server: other, socket })).toBe('stranger')
  })

  test('a process whose first thread has ended is known to be none that listens here: whoever does is a stranger', async () => {
    const program =
      'import ctypes, threading; threading.Thread(target=input).start(); print("started", flush=True); ' +
      'ctypes.CDLL(None).pthread_exit(None)'
    const child = atEnd(startProgram('python3', { args: ['-c', program] }))
    await child.line()
    await eventually('its first thread has ended', () => processState(child.pid)?.state === 'Z')
    const here = await listenHere('127.0.0.1')
    expect(proveListener({ port: here, server: identify(child.pid) ?? expect.unreachable() })).toBe('stranger')
  })

  test('a recorded socket that the server has not open decides nothing', async () => {
    const { child, server, port } = await started()
    expect(proveListener({ port, server, socket: '1' })).toBe('proven')
    child.send('deaf')
    await child.event('deaf')
    expect(proveListener({ port, server, socket: '1' })).toBe('nobody')
  })

  test('a listener on all addresses is found where the address itself has none, in both families', async () => {
    for (const host of ['0.0.0.0', '::', '::ffff:127.0.0.1']) {
      const { server, port } = await started(host)
      expect(proveListener({ port, server }), host).toBe('proven')
      expect(proveListener({ port, server: identifySelf() }), host).toBe('stranger')
      expect(findListener({ port, server })).toMatch(/^\d+$/)
    }
  })

  test('IPv6 loopback is another address', async () => {
    const { server, port } = await started('::1')
    expect(proveListener({ host: '::1', port, server })).toBe('proven')
    // Somebody else may have the same port there.
    expect(proveListener({ port, server })).not.toBe('proven')
    const here = await listenHere('127.0.0.1')
    expect(proveListener({ host: '::1', port: here, server: identifySelf() })).not.toBe('proven')
  })

  test('a stranger on the very address comes before the server on all addresses', async () => {
    // A stranger listens on 127.0.0.1:port.
    const port = await listenHere('127.0.0.1')
    // The server listens on port of another loopback address, and of IPv6: none of that is reached through 127.0.0.1.
    const { server } = await listenIn(atEnd(startChild(program)), '127.0.0.2', port)
    expect(proveListener({ port, server })).toBe('stranger')
    expect(proveListener({ host: '127.0.0.2', port, server })).toBe('proven')
  })

  test('with more than a page of listeners and many connections each is still found', async () => {
    const { server, port } = await started()
    const own = await Promise.all(Array.from({ length: 80 }, () => listenHere('127.0.0.1')))
    await Promise.all(own.map(connectTo))
    expect(proveListener({ port, server })).toBe('proven')
    for (const here of own) expect(proveListener({ port: here, server: identifySelf() })).toBe('proven')
  })

  if (isRoot()) {
    test("another user's listener is a stranger", async () => {
      const child = atEnd(startChild(program, asOtherUser()))
      const { server, port } = await listenIn(child, '127.0.0.1')
      expect(proveListener({ port, server })).toBe('stranger')
    })

    test('a zombie, or what is about to be one, listens nowhere: also to users who are not root, from whom its descriptors are hidden then', async () => {
      const prover = atEnd(startChild(new URL('../children/proves-zombie.mjs', import.meta.url), asOtherUser()))
      expect(await prover.event('proofs')).toMatchObject({ alive: 'stranger', zombie: 'stranger' })
    })

    test('a server in another network or pid namespace is unknown', async () => {
      const child = atEnd(startProgram('unshare', { args: ['-n', process.execPath, program.pathname] }))
      await child.event('ready')
      const server = identify(child.pid) ?? expect.unreachable()
      expect(proveListener({ port: 1, server })).toBe('unknown')
      expect(findListener({ port: 1, server })).toBeUndefined()
    })
  } else {
    console.warn('NOT RUN: listeners of other users and network namespaces, because we are not root')
  }
} else {
  test('where the system does not tell who listens, the answer is unknown', () => {
    const server = { pid: process.pid, startTicks: '', bootId: '', pidNamespace: 'host', netNamespace: 'host' }
    expect(proveListener({ port: 1, server })).toBe('unknown')
    expect(findListener({ port: 1, server })).toBeUndefined()
  })
}
