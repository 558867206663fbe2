import { type Token, type Tokenizer, Type } from 'cborg'
import { decodeValue, encodeArray, encodeMap, encodeValue, TAG, tokenize } from './cbor.ts'
import { endOfValue } from './cbor-walk.ts'
import type { Engine } from './engine.ts'

const GEOMETRIES: ReadonlyMap<number, string> = new Map([
  [TAG.point, 'Point'],
  [TAG.line, 'LineString'],
  [TAG.polygon, 'Polygon'],
  [TAG.multiPoint, 'MultiPoint'],
  [TAG.multiLine, 'MultiLineString'],
  [TAG.multiPolygon, 'MultiPolygon'],
  [TAG.collection, 'GeometryCollection'],
])

/**
 * A result as the JSON of the real server: record ids, datetimes, durations and the like as text. That text is made by the
 * engine itself, all in one call, so that it is quoted and written as SurrealQL is.
 */
export async function toJson(engine: Engine, result: Buffer): Promise<string> {
  const writer = new JsonWriter(result)
  writer.value()
  const texts = await asTexts(engine, writer.foreign)
  return writer.parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(texts[part]))).join('')
}

class JsonWriter {
  /** A number stands for the text of `foreign[number]`. */
  readonly parts: (string | number)[] = []
  readonly foreign: Buffer[] = []
  readonly #bytes: Buffer
  readonly #tokens: Tokenizer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#tokens = tokenize(bytes)
  }

  value(): void {
    const start = this.#tokens.pos()
    const token = this.#tokens.next()
    if (token.type === Type.tag) this.#tagged(token.value, start)
    else if (token.type === Type.array) this.#list(token.value)
    else if (token.type === Type.map) this.#object(token.value)
    else this.parts.push(scalar(token))
  }

  #list(length: number): void {
    this.parts.push('[')
    for (let i = 0; i < length; i++) {
      if (i > 0) this.parts.push(',')
      this.value()
    }
    this.parts.push(']')
  }

  #object(length: number): void {
    this.parts.push('{')
    for (let i = 0; i < length; i++) {
      this.parts.push(i > 0 ? ',' : '', JSON.stringify(this.#tokens.next().value), ':')
      this.value()
    }
    this.parts.push('}')
  }

  #tagged(tag: number, start: number): void {
    const geometry = GEOMETRIES.get(tag)
    if (tag === TAG.none) {
      this.#tokens.next()
      this.parts.push('null')
    } else if (tag === TAG.table || tag === TAG.decimal || tag === TAG.set || tag === TAG.uuidText) this.value()
    else if (geometry === 'GeometryCollection') {
      this.parts.push('{"geometries":')
      this.value()
      this.parts.push(`,"type":"${geometry}"}`)
    } else if (geometry !== undefined) {
      this.parts.push('{"coordinates":')
      this.#coordinates()
      this.parts.push(`,"type":"${geometry}"}`)
    } else {
      const end = endOfValue(this.#bytes, start)
      while (this.#tokens.pos() < end) this.#tokens.next()
      this.parts.push(this.foreign.push(this.#bytes.subarray(start, end)) - 1)
    }
  }

  /** The points of a line are geometries of their own in CBOR, and bare pairs in JSON. */
  #coordinates(): void {
    const token = this.#tokens.next()
    if (token.type === Type.tag) this.#coordinates()
    else if (token.type !== Type.array) this.parts.push(scalar(token))
    else {
      this.parts.push('[')
      for (let i = 0; i < token.value; i++) {
        if (i > 0) this.parts.push(',')
        this.#coordinates()
      }
      this.parts.push(']')
    }
  }
}

function scalar({ type, value }: Token): string {
  if (type === Type.string) return JSON.stringify(value)
  if (type === Type.bytes) return `[${[...value].join(',')}]`
  if (type === Type.float) return floatText(value)
  if (type === Type.uint || type === Type.negint) return String(value)
  return type === Type.true ? 'true' : type === Type.false ? 'false' : 'null'
}

/** A float stays one: `1.0`, not `1`. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

async function asTexts(engine: Engine, values: readonly Buffer[]): Promise<readonly string[]> {
  if (values.length === 0) return []
  const query = encodeValue('RETURN array::map($values, |$value| <string>$value)')
  const params = encodeArray([query, encodeMap([['values', encodeArray(values)]])])
  const answer = await engine.call({ method: 'query', params })
  if ('error' in answer) throw new Error('the engine did not write its values as text')
  const [statement] = decodeValue(answer.result) as readonly { readonly result: readonly string[] }[]
  return statement?.result ?? []
}
