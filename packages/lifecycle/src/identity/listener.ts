import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { ifVisible, isGone, isRefused, isSameProcess, type ProcessIdentity, sameNamespaces } from '@procref/core'
import { isEnding } from './is-ending.ts'

/**
 * `proven`: whoever connects there reaches this server. `stranger`: somebody else. `nobody`: nobody listens.
 * `unknown`: the system does not tell (macOS, Windows, a server in another container, a /proc that is restricted).
 */
export type ListenerProof = 'proven' | 'stranger' | 'nobody' | 'unknown'

export interface ExpectedListener {
  /** `127.x.y.z` or `::1`. Default 127.0.0.1. */
  readonly host?: string
  readonly port: number
  readonly server: ProcessIdentity
  /** Who counts as the server beside itself: whoever is in the session that it leads, as what a wrapper script starts is. Default: nobody. */
  readonly with?: 'its session'
  /**
   * What `findListener` answered earlier for this server: while that socket is open the kernel's table, which takes a
   * millisecond, is not searched. Not for a server that ends listening by shutdown(2) and keeps the descriptor.
   */
  readonly socket?: string
}

/**
 * Asks the kernel whether the socket that listens on the port is open in the recorded server process, before a password
 * is sent there.
 *
 * Guarantee: at the time of the call. `stranger` includes a port on which both the server and somebody else listen.
 * Caller: ask again for each new connection.
 */
export function proveListener(expected: ExpectedListener): ListenerProof {
  if (process.platform !== 'linux' || !sameNamespaces(expected.server)) return 'unknown'
  const { server, socket } = expected
  // A socket that listened here, and that the server has not closed since, listens here still: the port is its own until then.
  if (socket !== undefined && hasOpen([server.pid], [socket]) === 'all' && isSameProcess(server)) return 'proven'
  return judge(expected, listenersAt(expected))
}

/**
 * The number of the socket that listens there, to be recorded for `ExpectedListener.socket`; `undefined` unless it is one
 * socket and proven to be the server's. The kernel gives a number to another socket only after 2^32 new ones.
 */
export function findListener(expected: ExpectedListener): string | undefined {
  if (process.platform !== 'linux' || !sameNamespaces(expected.server)) return undefined
  const listeners = listenersAt(expected)
  return listeners?.length === 1 && judge(expected, listeners) === 'proven' ? listeners[0]?.socket : undefined
}

/** A process that listens, as far as the system tells: of another user's only the user is known. */
export interface PortUser {
  readonly uid: number
  readonly pids: readonly number[]
}

/** Who listens at an address, for people. `undefined`: cannot be asked here. Looks at every process: some milliseconds. */
export function whoListens(at: Pick<ExpectedListener, 'host' | 'port'>): readonly PortUser[] | undefined {
  if (process.platform !== 'linux') return undefined
  const pids = everybody()
  return listenersAt(at)?.map(({ uid, socket }) => ({
    uid,
    pids: pids.filter((pid) => hasOpen([pid], [socket]) === 'all'),
  }))
}

function judge(expected: ExpectedListener, listeners: readonly Listener[] | undefined): ListenerProof {
  const { server, with: others } = expected
  if (listeners === undefined) return 'unknown'
  if (listeners.length === 0) return 'nobody'
  if (listeners.some((listener) => listener.uid !== process.geteuid?.())) return 'stranger'
  const sockets = listeners.map((listener) => listener.socket)
  let open = hasOpen([server.pid], sockets)
  if (open === 'not all' && others !== undefined) open = hasOpen(sessionOf(server.pid), sockets)
  if (open === 'unknown') return 'unknown'
  // The identity comes last: a process that is the recorded one now was it when its descriptors were read.
  return open === 'all' && isSameProcess(server) ? 'proven' : 'stranger'
}

interface Listener {
  readonly address: string
  readonly uid: number
  /** The inode number of the socket. */
  readonly socket: string
}

/** As the kernel prints addresses: in 32-bit words of the machine's byte order. */
const ANY4 = '00000000'
const ANY6 = '0'.repeat(32)

/**
 * The sockets that a connection to `host` can reach. The kernel prefers one bound to that very address to one bound to
 * all, so the others count only where there is none. `undefined`: cannot be asked.
 */
function listenersAt({
  host = '127.0.0.1',
  port,
}: Pick<ExpectedListener, 'host' | 'port'>): readonly Listener[] | undefined {
  if (isIPv6(host)) return preferExact(readListeners('/proc/net/tcp6', port), hex([...Array(15).fill(0), 1]))
  const bytes = host.split('.').map(Number)
  const four = preferExact(readListeners('/proc/net/tcp', port), hex(bytes))
  // A server bound to 127.0.0.1 is found here, without the second table.
  if (four === undefined || four.some((listener) => listener.address !== ANY4)) return four
  const mapped = hex([...Array(10).fill(0), 0xff, 0xff, ...bytes])
  return [...four, ...(preferExact(readListeners('/proc/net/tcp6', port), mapped) ?? [])]
}

function preferExact(listeners: readonly Listener[] | undefined, address: string): readonly Listener[] | undefined {
  const exact = listeners?.filter((listener) => listener.address === address)
  if (exact === undefined || exact.length > 0) return exact
  return listeners?.filter((listener) => listener.address === ANY4 || listener.address === ANY6)
}

function hex(address: readonly number[]): string {
  const bytes = Uint8Array.from(address)
  return Array.from(new Uint32Array(bytes.buffer), (word) => word.toString(16).toUpperCase().padStart(8, '0')).join('')
}

/** Some lines, no more: the kernel works for each (150 bytes), and listening sockets come first. */
const PART_BYTES = 4096
const LISTEN = '0A'

/** The listening sockets with this port in the kernel's table at `path`; `undefined` where there is no such table. */
function readListeners(path: string, port: number): readonly Listener[] | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if (isGone(error) || isRefused(error)) return undefined
    throw error
  }
  try {
    const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
    const found: Listener[] = []
    for (const line of linesOf(fd)) {
      const [, local = '', , state, , , , uid, , socket = ''] = line.trim().split(/\s+/)
      if (local === 'local_address') continue
      if (state !== LISTEN) break
      if (local.endsWith(wanted)) found.push({ address: local.slice(0, -5), uid: Number(uid), socket })
    }
    return found
  } finally {
    closeSync(fd)
  }
}

function* linesOf(fd: number): Generator<string> {
  const part = Buffer.alloc(PART_BYTES)
  let rest = ''
  while (true) {
    const length = readSync(fd, part, 0, PART_BYTES, null)
    if (length === 0) return
    const lines = (rest + part.toString('latin1', 0, length)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

/** Which of these sockets the processes have open; `unknown`: that of one must not be seen. */
function hasOpen(pids: readonly number[], sockets: readonly string[]): 'all' | 'not all' | 'unknown' {
  const missing = new Set(sockets)
  for (const pid of pids) {
    const dir = `/proc/${pid}/fd`
    try {
      for (const fd of readdirSync(dir)) {
        const socket = SOCKET.exec(linkOf(`${dir}/${fd}`))?.[1]
        if (socket !== undefined && missing.delete(socket) && missing.size === 0) return 'all'
      }
    } catch (error) {
      // The descriptors of a process without memory are root's: of one that ends, and of a zombie, which listens nowhere.
      if (isRefused(error) && !isEnding(pid)) return 'unknown'
      if (!isRefused(error) && !isGone(error)) throw error
    }
  }
  return 'not all'
}

function everybody(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isSafeInteger)
}

/** The processes of the POSIX session that `leader` leads (setsid(2)). While there is one, fork(2) gives that number to no new process. */
function sessionOf(leader: number): readonly number[] {
  return everybody().filter((pid) => {
    const stat = ifVisible(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
    // Field 6, counted from behind the name (field 2), in which everything can be.
    return Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) === leader
  })
}

const SOCKET = /^socket:\[(\d+)\]$/

/** '' for a descriptor that was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (isGone(error)) return ''
    throw error
  }
}
