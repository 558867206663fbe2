import type { RawData, WebSocket } from 'ws'
import type { ClientStream } from './client-stream.ts'
import { GatheredWrites } from './gathered-writes.ts'
import { joinInSteps, lengthOf } from './joined.ts'
import { ReadingOrder } from './reading-order.ts'
import { ShortCalls } from './short-calls.ts'
import { inTurns } from './turns.ts'

/** As the real server: a longer message ends the connection with 1009. */
export const MAX_MESSAGE_BYTES: number = 128 * 1024 * 1024

/** So many requests may be in flight before we stop reading, */
const MAX_IN_FLIGHT = 512
/** or so many of their bytes. */
const MAX_IN_FLIGHT_BYTES = 32 * 1024 * 1024
/** So many are begun and not yet long under way: more of them would not be answered sooner, and each costs memory. */
const MAX_BEGUN = 32
/** So many are begun in one turn of the event loop, which takes less than a millisecond. */
const BEGUN_AT_ONCE = 16
/** So much that the client has not read may wait before we stop reading its requests; live queries then end it. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024

/** So long a client has to read why it is disconnected before what it has sent is thrown away. */
const READS_WHY_MS = 1_000

/** The only caller on a connection. */
const CLIENT = 'client'

/** The server is going away. */
const GOING_AWAY = 1001
/** Not a fault of the protocol, and worth another try. */
const TRY_AGAIN_LATER = 1013

/** What is said on a connection. All of it ends with `close()`. */
export interface Conversation {
  /** The answer to one message, if it gets one, or the frames of it in their order. Never rejects. */
  handle(message: Buffer): Promise<Frame | readonly Frame[] | undefined>
  close(): Promise<void>
}

/** Text or bytes. */
export type Frame = string | Buffer

/**
 * One WebSocket of a client. Bounds what it makes us keep: requests wait in the client's own socket while too many are in
 * flight or too many answers unread. Notifications of live queries cannot wait there, so a client that does not read them is
 * disconnected.
 */
export class WsConnection {
  readonly #socket: WebSocket
  readonly #stream: ClientStream
  readonly #writes: GatheredWrites
  readonly #conversation: Conversation
  #inFlight = 0
  #inFlightBytes = 0
  #draining: (() => void) | undefined
  #deaf = false
  /** Requests that have arrived and are not begun. */
  readonly #arrived: Pieces[] = []
  readonly #joining = new ReadingOrder()
  /** Those that are begun. */
  readonly #short = new ShortCalls(() => this.#begin())
  /** Requests begun in this turn of the event loop, if they are more than one. */
  #begun = 0
  #isPausing = false
  /** Resolves when the socket is closed and nothing of the client is left in the engine. */
  readonly ended: Promise<void>

  /** `stream`: what the WebSocket was made of. */
  constructor(socket: WebSocket, stream: ClientStream, converse: (deliver: (frame: Frame) => void) => Conversation) {
    this.#socket = socket
    this.#stream = stream
    this.#writes = new GatheredWrites(stream)
    // Nothing is unread any more.
    stream.on('drain', () => this.#regulate())
    this.#conversation = converse((frame) => this.#deliver(frame))
    stream.whenGivenUp(() => this.#giveUp())
    socket.binaryType = 'fragments'
    socket.on('message', (message) => this.#receive(piecesOf(message)))
    // A broken frame, a message that is too long, a connection reset: the socket closes itself with the right code.
    socket.on('error', () => {})
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#arrived.length = 0
        void this.#conversation.close().then(resolve)
      })
    })
  }

  /** Answers what has arrived, unless `hurry`, and disconnects. */
  async close(hurry: AbortSignal): Promise<void> {
    this.#deaf = true
    this.#socket.pause()
    if (this.#inFlight > 0 && !hurry.aborted) {
      await new Promise<void>((resolve) => {
        this.#draining = resolve
        hurry.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    // Paused, it would not see the client's half of the closing.
    this.#socket.resume()
    this.#socket.close(GOING_AWAY, 'the server is shutting down')
    const terminate = (): void => this.#socket.terminate()
    if (hurry.aborted) terminate()
    else hurry.addEventListener('abort', terminate, { once: true })
    await this.ended
  }

  #receive(request: Pieces): void {
    if (this.#deaf) return
    this.#inFlight++
    this.#inFlightBytes += lengthOf(request)
    this.#regulate()
    this.#arrived.push(request)
    // Nothing else waits: whoever asks one thing after the other costs no turn of the loop more.
    if (this.#inFlight === 1) this.#begun = 0
    this.#begin()
  }

  /** A piece of the client's stream may hold a thousand requests: the other clients get a turn in between. */
  #begin(): void {
    for (; this.#begun < BEGUN_AT_ONCE && this.#short.taken < MAX_BEGUN; this.#begun++) {
      const request = this.#arrived.shift()
      if (request === undefined) break
      void this.#answer(request)
    }
    if (this.#arrived.length > 0) this.#short.want()
    if (this.#begun < 2 || this.#isPausing) return
    this.#isPausing = true
    setImmediate(() => {
      this.#isPausing = false
      this.#begun = 0
      this.#begin()
    })
  }

  async #answer(request: Pieces): Promise<void> {
    const turn = this.#short.enter(CLIENT)
    const joined = this.#joining.next(() => join(request))
    const message = joined instanceof Promise ? await joined : joined
    const response = await this.#conversation.handle(message)
    this.#inFlight--
    this.#inFlightBytes -= message.length
    const isOne = typeof response === 'string' || Buffer.isBuffer(response)
    for (const frame of isOne ? [response] : (response ?? [])) this.#send(frame)
    if (this.#inFlight === 0) this.#draining?.()
    if (this.#short.leave(turn) && this.#arrived.length > 0) this.#begin()
  }

  /** Part of a message is all that has come for a while, and the others need the memory. */
  #giveUp(): void {
    this.#deaf = true
    this.#socket.close(
      TRY_AGAIN_LATER,
      'too many messages have not arrived in full; this one was the longest without news',
    )
    // It is in the middle of a frame, and could not say that it has understood.
    this.#stream.end()
    setTimeout(() => this.#socket.terminate(), READS_WHY_MS).unref()
  }

  #deliver(frame: Frame): void {
    if (this.#stream.unreadBytes > MAX_UNREAD_BYTES) {
      this.#deaf = true
      // Paused, it would not see the client's half of the closing.
      this.#socket.resume()
      this.#socket.close(TRY_AGAIN_LATER, 'the client does not read its live queries')
      return
    }
    this.#writes.hold()
    this.#send(frame)
  }

  #send(frame: Frame): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#inFlight > 0) this.#writes.hold()
    this.#socket.send(frame)
    this.#writes.wrote(this.#inFlight)
    this.#regulate()
  }

  #regulate(): void {
    const busy = this.#inFlight >= MAX_IN_FLIGHT || this.#inFlightBytes >= MAX_IN_FLIGHT_BYTES
    const tooMuch = busy || this.#stream.unreadBytes > MAX_UNREAD_BYTES
    if (tooMuch === this.#socket.isPaused || this.#deaf) return
    if (tooMuch) this.#socket.pause()
    else this.#socket.resume()
  }
}

/** A message as it has arrived. */
type Pieces = readonly Buffer[]

function piecesOf(message: RawData): Pieces {
  if (Array.isArray(message)) return message
  return [Buffer.isBuffer(message) ? message : Buffer.from(message)]
}

/** A message of several pieces takes a while, a little of it at a time. */
function join(pieces: Pieces): Buffer | Promise<Buffer> {
  const [first = Buffer.alloc(0)] = pieces
  return pieces.length > 1 ? inTurns(joinInSteps(pieces)) : first
}
