import type { OutgoingHttpHeaders } from 'node:http'
import { DEFINITIONS, FILES, IDS, ROWS, VALUES } from './every-type.ts'
import { asRoot, httpCall } from './http-request.ts'
import { RawClient } from './raw-client.ts'
import type { TestServer } from './server.ts'

const NAMESPACE = 'dumps'

/** A client of one database of the server, as root. */
export async function inDatabase({ port }: TestServer, database: string): Promise<RawClient> {
  const client = await RawClient.root(port)
  await client.result('use', [NAMESPACE, database])
  return client
}

/** A database with values of every type, ids of every kind, and definitions of every kind. */
export async function fill(server: TestServer, database: string): Promise<void> {
  await using client = await inDatabase(server, database)
  for (const definition of [...DEFINITIONS, ...ROWS]) await client.query(definition)
  for (const [name, value] of Object.entries(VALUES)) {
    await client.query(
      `CREATE type::record('value', $name) SET v = ${value}, deep = [{ a: { b: [${value}] } }] RETURN NONE`,
      { name, ...FILES },
    )
  }
  for (const id of IDS) await client.query(`CREATE ids:${id} SET written = $id`, { id, ...FILES })
}

/** A dump, as the server makes it. */
export async function dumpOf({ port }: TestServer, database: string): Promise<Buffer> {
  const { status, body } = await httpCall(port, { path: '/export', headers: inIt(database) })
  if (status !== 200) throw new Error(`the export failed with ${status}: ${body}`)
  return body
}

/** The messages of the statements that failed. */
export async function readDump(server: TestServer, database: string, dump: Buffer): Promise<readonly string[]> {
  await using client = await inDatabase(server, database)
  await client.query('RETURN 1')
  const { status, body } = await httpCall(server.port, {
    path: '/import',
    body: dump,
    headers: { ...inIt(database), accept: 'application/json' },
  })
  if (status !== 200 && status !== 422) throw new Error(`the import failed with ${status}: ${body}`)
  return (JSON.parse(`${body}`) as { result: unknown }[]).map(({ result }) => String(result))
}

function inIt(database: string): OutgoingHttpHeaders {
  return { ...asRoot, 'surreal-ns': NAMESPACE, 'surreal-db': database }
}

/** The tables of `DEFINITIONS`. */
const TABLES = ['aview', 'knows', 'log', 'loose', 'odd; table`s', 'person', 'vectors', 'zlast'] as const
const KINDS = [
  ...['users', 'accesses', 'params', 'functions', 'analyzers', 'apis', 'buckets', 'modules', 'configs', 'sequences'],
  'tables',
] as const
const QUERIES: Readonly<Record<string, string>> = {
  'a unique index': "SELECT VALUE id FROM person WHERE name = 'Ann'",
  'a full-text index': "SELECT VALUE id FROM person WHERE name @@ 'bob'",
  'an index of vectors': 'SELECT VALUE id FROM vectors WHERE at <|1,40|> [1, 0, 0]',
  edges: 'SELECT VALUE ->knows->person FROM ONLY person:1',
  'a function': 'RETURN fn::greet("you")',
  'a parameter': 'RETURN $limit',
  'a sequence': 'RETURN sequence::nextval("numbers")',
}

/** What is looked at. */
export const PARTS: readonly string[] = [
  ...Object.keys(VALUES).map((name) => `value: ${name}`),
  ...IDS.map((id) => `id: ${id}`),
  ...KINDS.map((kind) => `definitions: ${kind}`),
  ...TABLES.flatMap((table) => [`structure: ${table}`, `rows: ${table}`]),
  ...Object.keys(QUERIES).map((name) => `use of ${name}`),
]

/** The parts of a database, in words that both servers use; why, where it cannot be asked. */
export async function contentOf(server: TestServer, database: string): Promise<ReadonlyMap<string, unknown>> {
  await using client = await inDatabase(server, database)
  const ask = async (statements: string, variables: object = {}): Promise<unknown> =>
    await client.query(statements, variables).then(
      (results) => results.at(-1),
      (error: Error) => error.message,
    )
  const content = new Map<string, unknown>()
  for (const name of Object.keys(VALUES)) {
    const text = "IF type::of($v) = 'bytes' { encoding::base64::encode($v) } ELSE { <string>$v }"
    const statements = `LET $r = type::record('value', $name); LET $v = $r.v; LET $deep = $r.deep[0].a.b[0];
      RETURN [record::exists($r), type::of($v), ${text}, type::of($deep), $v = $deep]`
    content.set(`value: ${name}`, await ask(statements, { name }))
  }
  for (const id of IDS) {
    content.set(
      `id: ${id}`,
      await ask(`RETURN [record::exists(ids:${id}), <string>ids:${id}, ids:${id}.written]`, FILES),
    )
  }
  for (const kind of KINDS) content.set(`definitions: ${kind}`, await ask(`RETURN (INFO FOR DB).${kind}`))
  for (const table of TABLES) {
    const quoted = `\`${table.replaceAll('`', '\\`')}\``
    content.set(`structure: ${table}`, await ask(`INFO FOR TABLE ${quoted}`))
    content.set(`rows: ${table}`, await ask(`RETURN <string>(SELECT * FROM ${quoted} ORDER BY id)`))
  }
  for (const [name, query] of Object.entries(QUERIES)) content.set(`use of ${name}`, await ask(query))
  return content
}
