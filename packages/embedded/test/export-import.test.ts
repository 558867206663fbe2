import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { eventually, freshDir, surrealBinary } from '@procref/testing'
import { FileRef, RecordId } from 'surrealdb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bothServers, type Kind } from './both-servers.ts'
import { asRoot, httpCall } from './http-request.ts'
import { codec, RawClient } from './raw-client.ts'
import { startEmbedded, startReal, type TestServer } from './server.ts'

const serverOf = bothServers()

/** Every type that can be stored, by itself and nested. */
const VALUES: Readonly<Record<string, string>> = {
  none_inside: '[NONE, { a: NONE }]',
  null: 'NULL',
  bool: '[true, false]',
  int: '[0, -1, 9223372036854775807, -9223372036854775808]',
  float: '[0.0, -1.5, 1e300, 1.0]',
  decimal: '[1.5dec, -0.000000000000000000001dec, 79228162514264337593543950335dec]',
  string: `['', "it's", 'a\\\\b', "two\\nlines", "tab\\t", 'ü ⟨ \` ; -- /* 🎉', "\\u{1}", 'a:1', '2020-01-01T00:00:00Z']`,
  duration: '[1ns, 1h30m, 1y2w3d4h5m6s7ms8us9ns]',
  datetime: `[d'2020-01-01T00:00:00Z', d'2020-01-01T00:00:00.123456789Z', d'1969-12-31T23:59:59.999999999Z']`,
  uuid: `u'018e0000-0000-7000-8000-000000000000'`,
  bytes: `[<bytes>'', <bytes>"ab", encoding::base64::decode('AP8B')]`,
  ranges: '[1..3, 1..=3, 1>..3, .., 1.., ..3]',
  sets: '[{,}, {1, 2}, <set>[[1], { a: 1 }]]',
  point: '(1, 2.5)',
  line: '{ type: "LineString", coordinates: [[1, 2], [3, 4]] }',
  polygon: '{ type: "Polygon", coordinates: [[[0, 0], [0, 5], [5, 5], [0, 0]], [[1, 1], [1, 2], [2, 2], [1, 1]]] }',
  multipoint: '{ type: "MultiPoint", coordinates: [[1, 2], [3, 4]] }',
  multiline: '{ type: "MultiLineString", coordinates: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]] }',
  multipolygon: '{ type: "MultiPolygon", coordinates: [[[[0, 0], [0, 5], [5, 5], [0, 0]]]] }',
  collection:
    '{ type: "GeometryCollection", geometries: [(1, 2), { type: "LineString", coordinates: [[1, 2], [3, 4]] }] }',
  ids: `[a:1, a:abc, a:⟨x y⟩, a:⟨1⟩, a:[1, 'b', { c: 2 }], a:{ x: [1] }, a:u'018e0000-0000-7000-8000-000000000000', ⟨t b⟩:1]`,
  nested: '{ a: [{ b: { c: [[[]]] } }], "key with space": { "": 1 }, "1": 2 }',
}

const IDS = [
  '1',
  '-5',
  '9223372036854775807',
  'abc',
  '⟨x y⟩',
  '⟨1⟩',
  "⟨it's⟩",
  '[1, "x", { y: 2 }]',
  '{ a: 1, b: [2] }',
  "u'018e0000-0000-7000-8000-000000000000'",
  '⟨ü🎉⟩',
]

const DEFINITIONS = `
  DEFINE ANALYZER words TOKENIZERS blank, class FILTERS lowercase, ascii;
  DEFINE FUNCTION fn::twice($n: int) -> int { LET $m = $n * 2; RETURN $m; };
  DEFINE PARAM $limit VALUE { of: [1, 'a;b'] };
  DEFINE TABLE person SCHEMAFULL PERMISSIONS FOR select FULL, FOR update WHERE id = $auth.id;
  DEFINE FIELD name ON person TYPE string ASSERT $value != /[;"']+/ DEFAULT 'x;y';
  DEFINE FIELD tags ON person TYPE array<string>;
  DEFINE FIELD twice ON person COMPUTED string::len(name) * 2;
  DEFINE FIELD changed ON person VALUE time::now();
  DEFINE INDEX by_name ON person FIELDS name UNIQUE;
  DEFINE INDEX by_words ON person FIELDS name FULLTEXT ANALYZER words BM25;
  DEFINE EVENT counted ON person WHEN $event = 'CREATE' THEN { UPSERT counter:persons SET n += 1; };
  DEFINE TABLE knows TYPE RELATION FROM person TO person;
  DEFINE TABLE by_length AS SELECT count() AS n, string::len(name) AS len FROM person GROUP BY len;
  DEFINE USER reader ON DATABASE PASSWORD 'secret' ROLES VIEWER;
  DEFINE ACCESS account ON DATABASE TYPE RECORD SIGNIN (SELECT * FROM person WHERE name = $name);
  DEFINE SEQUENCE numbers;
  CREATE person:a SET name = 'Ada', tags = ['x'];
  CREATE person:b SET name = 'Bob', tags = [];
  RELATE person:a->knows->person:b SET since = d'2020-01-01T00:00:00Z';
  RELATE person:a->likes->person:b;
  CREATE plain:1 SET in = person:a, out = person:b;
`

/** What is in the database `name`, to compare. */
async function contents(client: RawClient): Promise<unknown> {
  const [info] = (await client.query('INFO FOR DB')) as [
    { tables: object; users: object; functions: object; params: object },
  ]
  const tables: Record<string, unknown> = {}
  for (const table of Object.keys(info.tables).sort()) {
    const name = `\`${table}\``
    const [structure, rows] = (await client.query(`INFO FOR TABLE ${name}; SELECT * FROM ${name}`)) as [
      { fields: object; indexes: object; events: object },
      unknown[],
    ]
    const { fields, indexes, events } = structure
    tables[table] = { fields: Object.keys(fields), indexes: Object.keys(indexes), events: Object.keys(events), rows }
  }
  const { users, functions, params } = info
  return { users: Object.keys(users), functions: Object.keys(functions), params, tables }
}

/** A client in a new, empty database. */
async function newDatabase(server: TestServer, name: string): Promise<RawClient> {
  const client = await RawClient.root(server.port)
  await client.query(`REMOVE DATABASE IF EXISTS ${name}; DEFINE DATABASE ${name}`)
  await client.result('use', ['main', name])
  return client
}

/** Megabytes on a busy machine. */
const BULK_HANGS_MS = 300_000

const selecting = (database: string): object => ({ ...asRoot, 'surreal-ns': 'main', 'surreal-db': database })

async function dumpOf(server: TestServer, database: string, options: object = {}): Promise<Buffer> {
  const { status, body } = await httpCall(
    server.port,
    {
      path: '/export',
      body: JSON.stringify(options),
      headers: { ...selecting(database), 'content-type': 'application/json' },
    },
    BULK_HANGS_MS,
  )
  expect(status).toBe(200)
  return body
}

/** What of the dump could not be carried out. */
async function failuresOf(server: TestServer, database: string, dump: Buffer): Promise<unknown> {
  const headers = { ...selecting(database), accept: 'application/cbor' }
  const { body } = await httpCall(server.port, { path: '/import', method: 'POST', headers, body: dump }, BULK_HANGS_MS)
  return (codec.decode(body) as readonly { result: unknown }[]).map(({ result }) => result)
}

const WAYS: readonly (readonly [Kind, Kind])[] =
  surrealBinary() === undefined
    ? [['embedded', 'embedded']]
    : [
        ['embedded', 'embedded'],
        ['embedded', 'real'],
        ['real', 'embedded'],
      ]

describe.each(WAYS)('a dump of the %s server, imported into the %s one', (from, to) => {
  test.each([
    ['every type of value', 'values', valuesOf],
    ['tables with all that is defined on them, edges, views, functions and users', 'tables', async () => [DEFINITIONS]],
  ] as const)('has %s', async (_what, name, statementsOf) => {
    await using source = await newDatabase(serverOf(from), `${name}_from`)
    for (const statement of await statementsOf()) await source.query(statement)
    await using target = await newDatabase(serverOf(to), `${name}_to`)
    const failures = await failuresOf(serverOf(to), `${name}_to`, await dumpOf(serverOf(from), `${name}_from`))
    // A dump has no keys in it, and none is made of what stands for one.
    expect(failures).toEqual(
      name === 'tables' ? [expect.stringMatching(/'account' names the redaction placeholder/)] : [],
    )
    expect(await contents(target)).toEqual(await contents(source))
  })

  test('has the rows of a view, also where what it looks at is left out', async () => {
    await using source = await newDatabase(serverOf(from), 'seen_from')
    await source.query("CREATE person:1 SET name = 'Ann'; DEFINE TABLE seen AS SELECT id, name FROM person")
    const dump = await dumpOf(serverOf(from), 'seen_from', { tables: { exclude: ['person'] } })
    await using target = await newDatabase(serverOf(to), 'seen_to')
    expect(await failuresOf(serverOf(to), 'seen_to', dump)).toEqual(["The table 'person' does not exist"])
    expect(await target.query('SELECT * FROM seen')).toEqual([[{ id: new RecordId('seen', 1), name: 'Ann' }]])
  })
})

/** As the real server writes it: each view as a table with its rows, then as a view, then what is defined on it. */
const VIEWS = `OPTION IMPORT;
  DEFINE TABLE person; INSERT [{ id: person:1, name: 'Ann', here: true }, { id: person:2, name: 'Bob', here: false }];
  DEFINE TABLE here; INSERT [{ id: here:1, name: 'Ann' }, { id: here:7, name: 'Old' }];
  DEFINE TABLE here COMMENT 'not AS SELECT this' AS SELECT name FROM person WHERE here;
  DEFINE FIELD OVERWRITE name ON here TYPE string; DEFINE INDEX byName ON here FIELDS name;
  DEFINE TABLE names; INSERT [{ id: names:1, name: 'Ann' }]; DEFINE TABLE names AS SELECT name FROM here;
  DEFINE TABLE number; INSERT [{ id: number:[true], n: 7, here: true }];
  DEFINE TABLE number AS SELECT count() AS n, here FROM person GROUP BY here;
  DEFINE TABLE lost; INSERT [{ id: lost:1, name: 'Eve' }]; DEFINE TABLE lost AS SELECT name FROM elsewhere;
  DEFINE FIELD OVERWRITE name ON lost TYPE string;
  DEFINE TABLE plain COMMENT 'no AS SELECT name FROM person'; INSERT [{ id: plain:1 }];`

const STORAGES = [
  ['embedded', 'memory'],
  ['embedded', 'rocksdb'],
  ['embedded', 'surrealkv'],
  ...(surrealBinary() === undefined ? [] : ([['real', 'memory']] as const)),
] as const

test.each(STORAGES)(
  "%s (%s): a dump's view is made anew, with what is on it; one that cannot be made keeps its rows",
  async (kind, storage) => {
    const start = kind === 'embedded' ? startEmbedded : startReal
    await using server = await start({ storage, databaseDir: join(freshDir(), 'database') })
    if (server === undefined) throw new Error('there is no real server')
    await using client = await newDatabase(server, 'views')
    expect(await failuresOf(server, 'views', Buffer.from(VIEWS))).toEqual(["The table 'elsewhere' does not exist"])
    const look =
      'SELECT VALUE name FROM here; SELECT VALUE name FROM names; SELECT VALUE n FROM number; SELECT * FROM lost; SELECT * FROM plain'
    const others = [[{ id: new RecordId('lost', 1), name: 'Eve' }], [{ id: new RecordId('plain', 1) }]]
    expect(await client.query(look)).toEqual([['Ann'], ['Ann'], [1, 1], ...others])
    await client.query("UPDATE person:2 SET here = true; CREATE person:3 SET name = 'Cee', here = true")
    expect(await client.query(look)).toEqual([['Ann', 'Bob', 'Cee'], ['Ann'], [3], ...others])
    for (const table of ['here', 'lost']) {
      const [{ fields, indexes }] = (await client.query(`INFO FOR TABLE ${table}`)) as [
        { fields: object; indexes: object },
      ]
      expect([Object.keys(fields), Object.keys(indexes)]).toEqual([['name'], table === 'here' ? ['byName'] : []])
    }
  },
)

async function valuesOf(): Promise<readonly string[]> {
  return [
    ...Object.entries(VALUES).map(([type, value]) => `CREATE v:${type} SET value = ${value}`),
    ...IDS.map((id) => `CREATE k:${id} SET a = 1`),
    "CREATE `a b`:1; CREATE `select`:1; CREATE `it's`:1; DEFINE TABLE empty",
  ]
}

/** Longer than what is sent ahead, by far: 20 MB. `pnpm soak` has more of them. */
const ROWS = 20_000

describe('a large database', () => {
  let client: RawClient

  beforeAll(async () => {
    client = await newDatabase(serverOf('embedded'), 'large')
    const text = 'x'.repeat(1_000)
    for (let from = 0; from < ROWS; from += 10_000) {
      await client.query('FOR $i IN $from..$to { CREATE type::record("row", $i) SET n = $i, text = $text }', {
        from,
        to: from + 10_000,
        text,
      })
    }
  })

  afterAll(async () => {
    await client?.[Symbol.asyncDispose]()
  })

  test(`of ${ROWS} rows is exported and imported whole`, async () => {
    const dump = await dumpOf(serverOf('embedded'), 'large')
    await using target = await newDatabase(serverOf('embedded'), 'large_copy')
    expect(await failuresOf(serverOf('embedded'), 'large_copy', dump)).toEqual([])
    const sum = 'SELECT count() AS rows, math::sum(n) AS sum FROM row GROUP ALL'
    expect(await target.query(sum)).toEqual(await client.query(sum))
    expect(await target.query(sum)).toEqual([[{ rows: ROWS, sum: (ROWS * (ROWS - 1)) / 2 }]])
  })

  test('is exported as fast as it is read, as it was when the export began, and no more of it than is wanted', async () => {
    const socket = await begunExport()
    socket.pause()
    await client.query('CREATE row:later SET n = 0')
    const before = await rss()
    // The rest of it is 20 MB, which are not waiting anywhere. Garbage comes and goes.
    const looks: number[] = []
    for (let i = 0; i < 10; i++) {
      await client.query('RETURN sleep(200ms)')
      looks.push((await rss()) - before)
    }
    expect(Math.min(...looks)).toBeLessThan(12)
    let rest = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      rest = (rest + chunk).slice(-100_000)
    })
    socket.resume()
    await eventually('the export ends', () => rest.endsWith('\r\n0\r\n\r\n'))
    expect(rest).toContain(`id: row:${ROWS - 1},`)
    expect(rest).not.toContain('row:later')
    socket.destroy()
  })

  test('whose reader leaves in the middle costs nothing any more', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = await begunExport()
      socket.destroy()
    }
    expect(await client.query('RETURN 1')).toEqual([1])
    const text = await dumpOf(serverOf('embedded'), 'large')
    expect(text.length).toBeGreaterThan(ROWS * 1_000)
  })

  test('is imported as it comes in: what was sent is there before the rest is', async () => {
    await using target = await newDatabase(serverOf('embedded'), 'large_piecewise')
    await target.query('DEFINE TABLE row')
    const dump = await dumpOf(serverOf('embedded'), 'large')
    const half = dump.length / 2
    const headers = { ...selecting('large_piecewise'), 'content-length': dump.length, accept: 'application/json' }
    const asked = request({ port: serverOf('embedded').port, path: '/import', method: 'POST', headers, agent: false })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve)
      asked.once('error', reject)
    })
    answered.catch(() => {})
    const isThere = async (row: number): Promise<unknown> =>
      (await target.query('RETURN record::exists(type::record("row", $row))', { row }))[0]
    asked.write(dump.subarray(0, half))
    await eventually('rows of the first half are there', async () => (await isThere(1_000)) === true)
    expect(await isThere(ROWS - 1)).toBe(false)
    asked.end(dump.subarray(half))
    const response = await answered
    response.resume()
    expect(response.statusCode).toBe(200)
    expect(await isThere(ROWS - 1)).toBe(true)
  })

  /** Its first bytes are there. */
  async function begunExport(): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: serverOf('embedded').port })
    socket.on('error', () => {})
    const headers = Object.entries({ host: 'localhost', ...selecting('large') }).map(
      ([name, value]) => `${name}: ${value}`,
    )
    socket.write(`GET /export HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
    await new Promise<void>((resolve) => socket.once('data', () => resolve()))
    return socket
  }

  async function rss(): Promise<number> {
    serverOf('embedded').child.send('rss')
    return (await serverOf('embedded').child.event<{ mib: number }>('rss')).mib
  }
})

describe('rows of a megabyte', () => {
  const LENGTH = 1024 * 1024

  test('are exported in statements of a few, and imported again', async () => {
    await using client = await newDatabase(serverOf('embedded'), 'long_rows')
    const rows = 30
    await client.query(
      'FOR $i IN 0..$rows { CREATE type::record("row", $i) SET text = string::repeat("x", $length) }',
      {
        rows,
        length: LENGTH,
      },
    )
    const dump = await dumpOf(serverOf('embedded'), 'long_rows')
    const statements = `${dump}`.split('\nINSERT ').slice(1)
    expect(Math.max(...statements.map(({ length }) => length))).toBeLessThan(6 * LENGTH)
    expect(statements.length).toBeGreaterThan(rows / 2)
    await using target = await newDatabase(serverOf('embedded'), 'long_rows_copy')
    expect(await failuresOf(serverOf('embedded'), 'long_rows_copy', dump)).toEqual([])
    const sum = 'SELECT count() AS rows, math::sum(string::len(text)) AS length FROM row GROUP ALL'
    expect(await target.query(sum)).toEqual([[{ rows, length: rows * LENGTH }]])
  })
})

test('rows of any length, whose ids have files in them, are exported page by page and imported again', async () => {
  await using client = await newDatabase(serverOf('embedded'), 'mixed_rows')
  const rows = 1_100
  await client.query(
    `FOR $i IN 0..$rows {
      CREATE type::record("row", [$i, $file]) SET text = string::repeat("x", IF $i % 500 > 470 { 100000 } ELSE { $i % 50 })
    }`,
    { rows, file: new FileRef('bucket', '/key') },
  )
  const all = 'SELECT VALUE [<string>id, string::len(text)] FROM row'
  const [own] = await client.query(all)
  expect(own).toHaveLength(rows)
  const dump = await dumpOf(serverOf('embedded'), 'mixed_rows')
  await using target = await newDatabase(serverOf('embedded'), 'mixed_rows_copy')
  expect(await failuresOf(serverOf('embedded'), 'mixed_rows_copy', dump)).toEqual([])
  expect(await target.query(all)).toEqual([own])
})
