import {
  and,
  BoundQuery,
  between,
  contains,
  containsAll,
  containsAny,
  containsNone,
  eeq,
  eq,
  expr,
  type Frame,
  GeometryPoint,
  GeometryPolygon,
  gt,
  inside,
  intersects,
  knn,
  lt,
  matches,
  ne,
  not,
  or,
  outside,
  RecordId,
  raw,
  surql,
  Table,
  toSurrealqlString,
} from 'surrealdb'
import { attempt, attempts, type Cases } from '../sdk.ts'
import { insertPeople, PERSON } from './people.ts'

const MIXED = 'RETURN 1; THROW "no"; SELECT * FROM [1, 2]; RETURN NONE'

async function read(stream: AsyncIterable<Frame<unknown, boolean>>): Promise<readonly unknown[]> {
  const frames: unknown[] = []
  for await (const frame of stream) {
    const kind = frame.isValue() ? 'value' : frame.isError() ? 'error' : frame.isDone() ? 'done' : 'nothing'
    const of = [frame.isOf(0), frame.isValueOf(0), frame.isErrorOf(0), frame.isDoneOf(0)]
    frames.push({ kind, of, frame })
  }
  return frames
}

export const QUERY: Cases = {
  'query: what it resolves with': async ({ db }) =>
    await attempts(
      () => db.query('RETURN 1'),
      () => db.query('RETURN 1; RETURN 2;'),
      () => db.query('RETURN $a', { a: [1, 'x', undefined, null] }),
      () => db.query(''),
      () => db.query('-- nothing'),
      () => db.query('LET $x = 1; RETURN $x'),
      () => db.query('RETURN $unset'),
      () => db.query('SELECT * FROM ONLY { a: 1 }'),
      () => db.query('BEGIN; CREATE t:1; CANCEL; RETURN 1'),
      () => db.query('BEGIN; CREATE t:2; COMMIT; SELECT * FROM t'),
      () => db.query('USE NS other; RETURN 1'),
      () => db.query('SLEEP 1ms; RETURN 1'),
      () => db.query('RETURN 1; RETRN 2'),
    ),
  'query: collect, all and some': async ({ db }) =>
    await attempts(
      () => db.query('RETURN 1; RETURN 2; RETURN 3').collect(),
      () => db.query('RETURN 1; RETURN 2; RETURN 3').collect(2, 0),
      () => db.query(MIXED).collect(),
      () => db.query(MIXED).collect(0),
      () => db.query('RETURN 1').collect(5),
    ),
  'query: responses, all and some': async ({ db }) =>
    await attempts(
      () => db.query(MIXED).responses(),
      () => db.query(MIXED).responses(1, 3),
      () => db.query('BEGIN; RETURN 1; THROW "x"; RETURN 2; COMMIT').responses(),
    ),
  'query: stream': async ({ db }) => {
    await insertPeople(db)
    return [
      await read(db.query('SELECT * FROM person; RETURN 1; THROW "no"').stream()),
      await attempt(() => read(db.query('RETRN').stream())),
      await read(db.query('').stream()),
    ]
  },
  'query: an error frame throws its error': async ({ db }) =>
    await attempt(async () => {
      for await (const frame of db.query('THROW "no"').stream()) if (frame.isError()) frame.throw()
    }),
  'query: json': async ({ db }) => {
    await insertPeople(db)
    return await attempts(
      () => db.query('SELECT * FROM person; RETURN [1h, d"2024-01-01T00:00:00Z", 1.5dec, NONE, <bytes>"x"]').json(),
      () => db.query('RETURN person:1').json().responses(),
    )
  },
  'query: types of statements': async ({ db, protocol }) => {
    if (protocol === 'http')
      return await db.query('DEFINE TABLE t; KILL u"11111111-1111-4111-8111-111111111111"').responses()
    const [, live] = await db.query('DEFINE TABLE t; LIVE SELECT * FROM t').responses()
    const id = live?.success ? live.result : undefined
    return [live, await db.query('KILL $id; RETURN 1', { id }).responses()]
  },
  'query: stats': async ({ db }) => {
    const [response] = await db.query('RETURN 1').responses()
    return { ...response?.stats, known: (response?.stats?.duration.nanoseconds ?? 0n) > 0n }
  },
  'query: bound, and put together': async ({ db }) => {
    const bound = new BoundQuery('RETURN $a;', { a: 1 })
    bound.append('RETURN $b;', { b: [2] }).append(new BoundQuery('RETURN $c;', { c: 3 })).append`RETURN ${'d'};`
    return [
      await db.query(bound),
      await db.query(new BoundQuery(bound)),
      Object.keys(bound.bindings).length,
      db.query('RETURN $a', { a: 1 }).inner.query,
      await attempt(async () => bound.append('', { a: 2 })),
    ]
  },
  'query: surql templates': async ({ db }) => {
    const table = new Table('t')
    const id = new RecordId('t', 1)
    return await attempts(
      () => db.query(surql`CREATE ${id} CONTENT ${{ a: 1, at: [1, null, undefined] }}`),
      () => db.query(surql`SELECT * FROM ${table} WHERE a = ${1}`),
      () => db.query(surql`RETURN ${'; DROP'}`),
      () => db.query(`RETURN ${toSurrealqlString({ a: id, b: [1, 'x', null, undefined], c: { d: 2n } })}`),
    )
  },
  'query: every operator of an expression': async ({ db }) => {
    await insertPeople(db)
    const square = new GeometryPolygon({
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [2, 0],
          [2, 2],
          [0, 2],
          [0, 0],
        ],
      ],
    })
    const expressions = [
      eq('age', 36),
      eeq('age', 36),
      ne('age', 36),
      gt('age', 36),
      lt('age', 36),
      between('age', 27, 36),
      contains('tags', 'x'),
      containsAny('tags', ['x', 'q']),
      containsAll('tags', ['x', 'y']),
      containsNone('tags', ['x']),
      inside('name', ['Ada', 'Cleo']),
      outside('place', square),
      intersects('place', square),
      and(eq('name', 'Ada'), gt('age', 1)),
      or(eq('name', 'Ada'), eq('name', 'Bob')),
      not(eq('name', 'Ada')),
      raw('age % 2 = 1'),
      undefined,
    ]
    await db.query('UPDATE person:1 SET place = $place', { place: new GeometryPoint([1, 1]) })
    return [
      await attempts(...expressions.map((expression) => () => db.select(PERSON).where(expression).fields('name'))),
      await attempt(() => db.query(surql`SELECT VALUE name FROM person WHERE ${expr(gt('age', 30))}`)),
    ]
  },
  'query: full text and nearest neighbours': async ({ db }) => {
    await db.query(`DEFINE ANALYZER words TOKENIZERS blank FILTERS lowercase;
      DEFINE TABLE page; DEFINE INDEX content ON page FIELDS text FULLTEXT ANALYZER words BM25;
      CREATE page:1 SET text = 'one two', v = [1, 2]; CREATE page:2 SET text = 'three', v = [5, 5]`)
    const page = new Table('page')
    return await attempts(
      () => db.select(page).where(matches('text', 'two')).fields('text'),
      () =>
        db
          .select(page)
          .where(matches('text', 'three', 1))
          .fields('text'),
      () =>
        db
          .select(page)
          .where(knn('v', [1, 1], 1, 'EUCLIDEAN'))
          .fields('text'),
    )
  },
  'query: many statements, large values': async ({ db }) => {
    const text = 'ü'.repeat(100_000)
    const answers = await db.query(`${'RETURN 1;'.repeat(500)}RETURN $text`, { text })
    const [rows] = await db.query<[unknown[]]>(
      'CREATE |row:2000| SET a = rand::int() RETURN NONE; SELECT VALUE id FROM row',
    )
    return [answers.length, answers.at(-1) === text, rows.length]
  },
  'query: many at once on one connection': async ({ db }) =>
    await Promise.all(Array.from({ length: 100 }, (_, n) => db.query('RETURN $n', { n }))),
  'query: retry only what may be retried': async ({ db }) => {
    let asked = 0
    const retryable = (): boolean => ++asked < 3
    const answer = await attempt(() =>
      db.query('THROW "again"').retry({ enabled: true, attempts: 5, retryDelay: 1, retryDelayMax: 1, retryable }),
    )
    return [answer, asked, await attempt(() => db.query('THROW "again"').retry(false))]
  },
  'query: every kind of statement': async ({ db }) =>
    await attempts(
      () => db.query('INFO FOR DB'),
      () => db.query('DEFINE TABLE t SCHEMAFULL; DEFINE FIELD a ON t TYPE int; CREATE t:1 SET a = "x"'),
      () => db.query('CREATE t:2 SET a = 1, b = 2'),
      () => db.query('DEFINE INDEX one ON t FIELDS a UNIQUE; CREATE t:3 SET a = 1'),
      () => db.query('DEFINE EVENT e ON t WHEN $event = "CREATE" THEN (CREATE seen SET id = $after.id.id())'),
      () => db.query('CREATE t:4 SET a = 4; SELECT * FROM seen'),
      () => db.query('DEFINE PARAM $p VALUE 5; RETURN $p'),
      () => db.query('INFO FOR TABLE t'),
      () => db.query('FOR $i IN 0..3 { CREATE type::record("loop", $i) }; SELECT VALUE id FROM loop'),
      () => db.query('IF 1 = 1 { RETURN "yes" } ELSE { RETURN "no" }'),
      () => db.query('SELECT count() FROM t GROUP ALL'),
      () => db.query('DEFINE SEQUENCE s; RETURN sequence::nextval("s")'),
      () => db.query('SHOW CHANGES FOR TABLE t SINCE 0'),
      () => db.query('REBUILD INDEX one ON t'),
      () => db.query('ALTER TABLE t SCHEMALESS; REMOVE TABLE t; INFO FOR TABLE t'),
      () => db.query('OPTION IMPORT; RETURN 1'),
      () => db.query('RETURN http::get("http://127.0.0.1:9/")'),
      () => db.query('RETURN function() { return 1 }'),
    ),
  'query: EXPLAIN': async ({ db }) => {
    await db.query('DEFINE TABLE t; DEFINE INDEX one ON t FIELDS a UNIQUE; CREATE t:1 SET a = 1')
    return await db.query('SELECT * FROM t ORDER BY a DESC LIMIT 1 EXPLAIN')
  },
  'query: INFO about a user': async ({ db }) => await db.query('INFO FOR USER root ON ROOT'),
}
