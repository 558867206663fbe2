import { createServer } from 'node:net'
import { pause } from '../delay.ts'
import { PortTakenError } from '../errors.ts'

/** A port of ours may still be closing, or a stranger may be passing: this long we insist on it. */
const INSIST_MS = 5_000
const RETRY_MS = 100
/**
 * A port of our own choice is below those that systems give to whoever binds or connects without asking for one (Linux from 32768 on, macOS and
 * Windows from 49152 on). One of theirs would be given away in the moment in which our server is replaced: also to a client of ours that dials it.
 * And below the node ports of Kubernetes, from 30000 on. Many, because the port of a server that is just being started or replaced is one that
 * another directory's guardian can choose, too: a start has one for about a second, so with a choice a second elsewhere (our own tests) that comes
 * once in as many starts as there are ports.
 */
const FIRST_CHOICE = 20_000
const LAST_CHOICE = 29_999
/** What others are known for: NFS, Syncthing, GlusterFS, Fluentd, Minecraft, CockroachDB, Redis Sentinel, Steam, MongoDB, RethinkDB. */
const PORTS_OF_OTHERS: ReadonlySet<number> = new Set([
  20_048, 22_000, 24_007, 24_008, 24_224, 25_565, 26_257, 26_379, 27_015, 27_017, 27_018, 27_019, 28_015, 28_017,
  29_015,
])
/** With so many of them taken, one that the system gives is better than none. */
const CHOICES = 100

export interface PortWish {
  readonly host: string
  /** The port clients already know; without one any free port will do, see above. */
  readonly known?: number
  /** The port somebody insists on: another one is no answer. */
  readonly demanded?: number
  readonly signal: AbortSignal
}

/**
 * A port that could be bound a moment ago. The known port is kept if it can be had within 5 s, because the SDK reconnects
 * only to the same URL; then another one is taken and leases dial anew. `PortTakenError` when a demanded port is not free.
 * Unspecified: whether it is still free when the server binds it; the server then fails and is started again.
 */
export async function choosePort(wish: PortWish): Promise<number> {
  const wanted = wish.demanded ?? wish.known
  if (wanted !== undefined) {
    const deadline = performance.now() + INSIST_MS
    for (;;) {
      const refused = await tryBind(wish.host, wanted)
      if (typeof refused === 'number') return wanted
      if (!isRefusal(refused)) throw refused
      if (performance.now() >= deadline || refused.code === 'EACCES') {
        if (wish.demanded !== undefined) throw new PortTakenError({ host: wish.host, port: wanted }, { cause: refused })
        break
      }
      await pause(RETRY_MS, wish.signal)
    }
  }
  for (let tries = 0; tries < CHOICES; tries++) {
    const choice = FIRST_CHOICE + Math.floor(Math.random() * (LAST_CHOICE + 1 - FIRST_CHOICE))
    if (PORTS_OF_OTHERS.has(choice)) continue
    const port = await tryBind(wish.host, choice)
    if (typeof port === 'number') return port
    if (!isRefusal(port)) throw port
  }
  const port = await tryBind(wish.host, 0)
  if (typeof port !== 'number') throw port
  return port
}

/** Somebody has it, or it is not for us. */
function isRefusal({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EADDRINUSE' || code === 'EACCES'
}

function tryBind(host: string, port: number): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', resolve)
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      const bound = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(bound))
    })
  })
}
