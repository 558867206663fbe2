import { Duplex } from 'node:stream'
import { type FrameHead, fragmentHead, frameHeadAt, isMessage } from './frame-head.ts'
import type { Receiver, UnfinishedMessages } from './unfinished-messages.ts'

/** So many frames are passed on in one turn of the event loop. */
const FRAMES_AT_ONCE = 64
/** A message in a longer frame is passed on in pieces of about so many bytes. */
const PIECE_BYTES = 64 * 1024

export interface ClientStreamOptions {
  readonly unfinished: UnfinishedMessages
  /** A frame that is longer is left as it is: it is going to be refused. */
  readonly maxMessageBytes: number
}

/**
 * The stream of a WebSocket's client, between the connection and `ws`. What arrives keeps nobody else waiting: of many frames in one
 * piece a few are passed on at a time, and a long frame becomes fragments as it arrives, since `ws` puts a frame together and removes
 * its mask in one go. What goes out passes through.
 *
 * Guarantee: the same messages, bytes and errors. Unspecified: whether a long message is text or bytes.
 */
export class ClientStream extends Duplex implements Receiver {
  readonly #source: Duplex
  readonly #options: ClientStreamOptions
  /** What has arrived of a head. */
  #partOfHead: Buffer | undefined
  /** What a later turn goes on with. */
  #later: Buffer | undefined
  #isPausing = false
  /** Enough has been passed on for now. */
  #isFull = false
  #hasEnded = false
  /** Of the frame that is arriving, its payload: bytes to come. */
  #left = 0
  /** The frame that is arriving, if it is passed on in pieces, and how much of it has been. */
  #long: (FrameHead & { passed: number }) | undefined
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  /** The frame that is arriving belongs to a message that ends with it. */
  #isLast = true
  #isCounted = false
  #onGivenUp: (() => void) | undefined
  #deaf = false

  constructor(source: Duplex, options: ClientStreamOptions) {
    super()
    this.#source = source
    this.#options = options
    source.on('data', (chunk: Buffer) => this.#receive(chunk))
    source.on('end', () => {
      this.#hasEnded = true
      this.#goOn()
    })
    source.on('drain', () => this.emit('drain'))
    source.on('error', (error) => this.destroy(error))
    source.on('close', () => this.destroy())
    // Until somebody reads.
    source.pause()
  }

  /** What to do when `giveUp` is called. */
  whenGivenUp(then: () => void): void {
    this.#onGivenUp = then
  }

  giveUp(): void {
    this.#deaf = true
    this.#later = undefined
    this.#gathered = []
    this.#onGivenUp?.()
  }

  override _read(): void {
    this.#isFull = false
    this.#goOn()
  }

  // What goes out is kept by the connection alone: kept here too it would cost a small query some 4 % more of the processor.

  override write(chunk: unknown, ...how: unknown[]): boolean {
    return (this.#source.write as (...all: unknown[]) => boolean).call(this.#source, chunk, ...how)
  }

  override cork(): void {
    this.#source.cork()
  }

  override uncork(): void {
    this.#source.uncork()
  }

  /** Bytes that the client has not read, and the system has no room for. */
  get unreadBytes(): number {
    return this.#source.writableLength
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#source.end(() => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#options.unfinished.ended(this)
    this.#source.destroy()
    done(error)
  }

  #receive(chunk: Buffer): void {
    if (this.#deaf) return
    const before = this.#later ?? this.#partOfHead
    this.#partOfHead = undefined
    const bytes = before === undefined ? chunk : Buffer.concat([before, chunk])
    if (this.#later === undefined) this.#passOn(bytes)
    else this.#later = bytes
  }

  /** With what waits, in another turn; then with what arrives. */
  #goOn(): void {
    if (this.#isPausing || this.#isFull) return
    if (this.#later === undefined) {
      if (this.#hasEnded) this.push(null)
      else this.#source.resume()
      return
    }
    this.#isPausing = true
    setImmediate(() => {
      this.#isPausing = false
      const bytes = this.#later
      this.#later = undefined
      if (this.destroyed) return
      if (bytes !== undefined) this.#passOn(bytes)
      this.#goOn()
    })
  }

  #passOn(bytes: Buffer): void {
    let [at, passed, frames] = [0, 0, 0]
    /** Everything before `at` that has not been passed on, as it came. */
    const pass = (): void => {
      if (at > passed) this.#push(passed === 0 && at === bytes.length ? bytes : bytes.subarray(passed, at))
      passed = at
    }
    while (at < bytes.length) {
      if (this.#left > 0) {
        const length = Math.min(this.#left, bytes.length - at)
        this.#left -= length
        if (this.#long === undefined) at += length
        else {
          this.#gather(this.#long, bytes.subarray(at, at + length))
          at += length
          passed = at
        }
        if (this.#left === 0) this.#endFrame()
        continue
      }
      if (frames === FRAMES_AT_ONCE) {
        pass()
        this.#later = bytes.subarray(at)
        this.#source.pause()
        this.#goOn()
        return
      }
      const head = frameHeadAt(bytes, at)
      if (head === undefined) {
        pass()
        this.#partOfHead = Buffer.from(bytes.subarray(at))
        return
      }
      frames++
      this.#beginFrame(head)
      if (this.#long !== undefined) {
        pass()
        passed += head.length
      }
      at += head.length
      if (this.#left === 0) this.#endFrame()
    }
    pass()
  }

  #beginFrame(head: FrameHead): void {
    this.#left = head.payload
    if (!isMessage(head)) return
    const { maxMessageBytes } = this.#options
    this.#isLast = head.isLast
    const isLong = head.mask !== undefined && head.payload > PIECE_BYTES && head.payload <= maxMessageBytes
    if (isLong) this.#long = { ...head, passed: 0 }
    else if (!head.isLast) this.#count(head.payload)
  }

  #endFrame(): void {
    this.#long = undefined
    if (!this.#isLast || !this.#isCounted) return
    this.#isCounted = false
    this.#options.unfinished.ended(this)
  }

  #count(bytes: number): void {
    this.#isCounted = true
    this.#options.unfinished.arrived(this, bytes)
  }

  #gather(frame: FrameHead & { passed: number }, bytes: Buffer): void {
    this.#count(bytes.length)
    if (this.#deaf) return
    this.#gathered.push(bytes)
    this.#gatheredBytes += bytes.length
    if (this.#gatheredBytes < PIECE_BYTES && this.#left > 0) return
    this.#push(fragmentHead(frame, frame.passed, this.#gatheredBytes))
    for (const piece of this.#gathered) this.#push(piece)
    frame.passed += this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
  }

  #push(bytes: Buffer): void {
    if (this.#deaf) return
    // The same as `push`, without its cost, for who listens and has had all that was before.
    if (this.readableFlowing && this.readableLength === 0) {
      this.emit('data', bytes)
      return
    }
    if (this.push(bytes)) return
    this.#isFull = true
    this.#source.pause()
  }
}
