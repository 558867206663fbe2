import { RecordId, type RecordIdValue } from 'surrealdb'
import { withoutId } from './call-lists.ts'
import { codec, RawClient, Uuid } from './raw-client.ts'
import { PASSWORD, type TestServer, USER } from './server.ts'
import { jsonValue, TextClient } from './text-client.ts'

/** What one server says of so many levels, by their number. */
export interface DepthCase {
  readonly name: string
  readonly run: (server: TestServer) => Promise<unknown>
}

/** Around the 32 record ids in each other that a request holds, and the 100 levels of values, of which the request itself takes some. */
const OF_VALUES: readonly number[] = [1, ...count(31, 34), ...count(90, 130), 400]
/** Around the 20 levels of statements, the 100 of what is written out in them, and the 128 links of an expression. */
const OF_STATEMENTS: readonly number[] = [1, ...count(17, 21), 100, 101, ...count(126, 128)]

function count(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

const lists = (depth: number): unknown => (depth === 0 ? 1 : [lists(depth - 1)])
const objects = (depth: number): unknown => (depth === 0 ? 1 : { a: objects(depth - 1) })
const both = (depth: number): unknown =>
  depth === 0 ? 1 : depth % 2 === 0 ? [both(depth - 1)] : { a: both(depth - 1) }
const emptyLists = (depth: number): unknown => (depth === 1 ? [] : [emptyLists(depth - 1)])
const tagged = (depth: number): unknown => (depth === 1 ? [new Uuid(UUID)] : [tagged(depth - 1)])
/** Record ids in record ids. */
const records = (depth: number): unknown => new RecordId('a', depth === 1 ? [1] : [records(depth - 1) as RecordIdValue])
const SHAPES = { lists, objects, both, 'lists, the last one empty': emptyLists, 'lists with a UUID': tagged }

async function byDepth(depths: readonly number[], answer: (depth: number) => Promise<unknown>): Promise<unknown> {
  const answers: Record<number, unknown> = {}
  for (const depth of depths) answers[depth] = await answer(depth)
  return answers
}

const UUID = '018e0000-0000-7000-8000-000000000000'

/** As what each of them is taken for: a value that comes back would be cut by whoever writes it down. */
const ASKED = 'RETURN type::of($v)'

function inCbor(name: string, request: (depth: number) => object, depths = OF_VALUES): DepthCase {
  return {
    name: `CBOR: ${name}`,
    run: async ({ port }) => {
      await using client = await RawClient.root(port)
      return await byDepth(depths, async (depth) => {
        client.send(codec.encode({ id: 1, ...request(depth) }))
        return withoutId(await client.next(`the answer to ${depth} levels`))
      })
    },
  }
}

const login = [
  JSON.stringify({ id: 1, method: 'signin', params: [{ user: USER, pass: PASSWORD }] }),
  JSON.stringify({ id: 1, method: 'use', params: ['main', 'main'] }),
]

function inJson(name: string, request: (depth: number) => object): DepthCase {
  return {
    name: `JSON: ${name}`,
    run: async ({ port }) => {
      await using client = await TextClient.open(port)
      for (const frame of login) await client.ask(frame)
      return await byDepth(OF_VALUES, async (depth) =>
        jsonValue(await client.ask(JSON.stringify({ id: 1, ...request(depth) }))),
      )
    },
  }
}

const nested = (open: string, within: string, close: string) => (depth: number) =>
  `${open.repeat(depth)}${within}${close.repeat(depth)}`

/** Statements of so many levels. */
const TEXTS: Readonly<Record<string, (depth: number) => string>> = {
  lists: (depth) => `RETURN type::of(${nested('[', '1', ']')(depth)})`,
  objects: (depth) => `RETURN type::of(${nested('{ a: ', '1', ' }')(depth)})`,
  sets: (depth) => `RETURN type::of(${nested('{', '1', ',}')(depth)})`,
  parentheses: (depth) => `RETURN ${nested('(', '1', ')')(depth)}`,
  subqueries: (depth) => `RETURN ${nested('(SELECT VALUE a FROM ', '[{ a: 1 }]', ')')(depth)} != NONE`,
  blocks: (depth) => `RETURN ${nested('{ RETURN ', '1', ' }')(depth)}`,
  functions: (depth) => `RETURN ${nested('math::abs(', '-1', ')')(depth)}`,
  conditions: (depth) => `${nested('IF true { ', '1', ' }')(depth)}`,
  casts: (depth) => `RETURN ${nested('<int> ', '1', '')(depth)}`,
  negations: (depth) => `RETURN ${nested('!', 'true', '')(depth)} != NONE`,
  'record ids': (depth) => `RETURN type::of(a:${nested('[', '1', ']')(depth)})`,
  'texts in texts': (depth) => `RETURN ${nested('type::of(', '"x"', ')')(depth)}`,
}

export const DEPTH_CASES: readonly DepthCase[] = [
  ...Object.entries(SHAPES).flatMap(([shape, made]) =>
    [inCbor, inJson].flatMap((form) => [
      form(`a variable of ${shape}`, (depth) => ({ method: 'query', params: [ASKED, { v: made(depth) }] })),
      form(`a param of ${shape}`, (depth) => ({ method: 'ping', params: [made(depth)] })),
      form(`an unknown field of ${shape}`, (depth) => ({ method: 'ping', unknown: made(depth) })),
    ]),
  ),
  inCbor('a param of record ids', (depth) => ({ method: 'ping', params: [records(depth)] })),
  ...Object.entries(TEXTS).map(([name, text]) =>
    inCbor(`a query of ${name}`, (depth) => ({ method: 'query', params: [text(depth)] }), OF_STATEMENTS),
  ),
]

const OLDER_LITERALS =
  'Engine 3.0.2 counts the levels of lists and objects that are written out in a statement among the 20 of its subqueries; 3.3.5 takes 100 ' +
  'of them. As variables both take as many.'
const OLDER_EXPRESSIONS =
  'Engine 3.0.2 reads expressions of any length (this server stops at 4,000 links) and stops when it carries them out; 3.3.5 does not read more than 128 links.'

/** Why these differ, and stay. */
export const DEPTH_DIFFERENCES: Readonly<Record<string, string>> = {
  'CBOR: a query of blocks': 'Engine 3.0.2 answers `RETURN { RETURN 1 }` with a list, at whatever level.',
  'CBOR: a query of lists': OLDER_LITERALS,
  'CBOR: a query of objects': OLDER_LITERALS,
  'CBOR: a query of record ids': OLDER_LITERALS,
  'CBOR: a query of casts': OLDER_EXPRESSIONS,
  'CBOR: a query of negations': OLDER_EXPRESSIONS,
}
