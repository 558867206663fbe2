import { NONE, readElements } from './cbor.ts'
import type { Answer } from './engine.ts'
import { type RpcError, streamExists, streamNotFound, streamNotNamed, tooManyStreams } from './rpc-errors.ts'

/** As the real server. */
const MAX_STREAMS = 32

/** The `query_stream` requests of one connection that are under way, by their ids. */
export class QueryStreams {
  readonly #underWay = new Set<string>()

  /** An error, if this one may not begin. Caller: `end` it. */
  begin(id: Buffer): RpcError | undefined {
    const key = keyOf(id)
    if (this.#underWay.has(key)) return streamExists()
    if (this.#underWay.size >= MAX_STREAMS) return tooManyStreams()
    this.#underWay.add(key)
    return undefined
  }

  end(id: Buffer): void {
    this.#underWay.delete(keyOf(id))
  }

  /**
   * `query_cancel`. Nothing stops what the engine has begun, so the stream is answered to its end, as by a real server that is told too
   * late: were it said to have been stopped, its client would take for undone what is done.
   */
  cancel(params: Buffer): Answer {
    const [id, ...more] = readElements(params)
    if (id === undefined || more.length > 0) return { error: streamNotNamed() }
    return this.#underWay.has(keyOf(id)) ? { result: NONE } : { error: streamNotFound() }
  }
}

function keyOf(id: Buffer): string {
  return id.toString('latin1')
}
