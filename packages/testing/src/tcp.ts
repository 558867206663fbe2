import { readFileSync } from 'node:fs'
import { openFiles, processes } from './proc.ts'

export interface TcpListener {
  readonly port: number
  /** As `/proc/net/tcp` and `tcp6` write it: hexadecimal, in the machine's byte order. */
  readonly address: string
  readonly uid: number
  readonly inode: number
}

/** Loopback in both families, as `TcpListener.address` writes it on a little-endian machine. */
const LOOPBACK = new Set(['0100007F', '00000000000000000000000001000000'])

const LISTENING = '0A'

/** Every TCP socket of this network namespace that listens. */
export function tcpListeners(): readonly TcpListener[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => {
    const rows = readFileSync(table, 'utf8').trim().split('\n').slice(1)
    return rows.flatMap((row) => {
      const [, local = '', , state, , , , uid, , inode] = row.trim().split(/\s+/)
      const [address = '', port = ''] = local.split(':')
      if (state !== LISTENING) return []
      return [{ address, port: Number.parseInt(port, 16), uid: Number(uid), inode: Number(inode) }]
    })
  })
}

/** The listening sockets that the process has open. */
export function tcpListenersOf(pid: number): readonly TcpListener[] {
  const sockets = new Set(openFiles(pid).map(({ target }) => target))
  return tcpListeners().filter(({ inode }) => sockets.has(`socket:[${inode}]`))
}

/** The pids that have a socket listening on this port open. */
export function whoListensOn(port: number): readonly number[] {
  const sockets = new Set(
    tcpListeners()
      .filter((listener) => listener.port === port)
      .map(({ inode }) => `socket:[${inode}]`),
  )
  if (sockets.size === 0) return []
  return processes()
    .map(({ pid }) => pid)
    .filter((pid) => openFiles(pid).some(({ target }) => sockets.has(target)))
}

/** Can only this machine reach it? */
export function isLoopback(listener: TcpListener): boolean {
  return LOOPBACK.has(listener.address)
}
