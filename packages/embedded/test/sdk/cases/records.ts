import {
  and,
  BoundExcluded,
  BoundIncluded,
  DateTime,
  Duration,
  eq,
  gt,
  gte,
  lte,
  type Output,
  type Patch,
  RecordId,
  RecordIdRange,
  StringRecordId,
  type SurrealQueryable,
  Table,
} from 'surrealdb'
import { attempt, attempts, type Case, type Cases } from '../sdk.ts'
import { insertPeople, KNOWS, PERSON, type Person, person } from './people.ts'

const FIRST_TWO = new RecordIdRange('person', new BoundIncluded(1), new BoundExcluded(3))
const OUTPUTS: readonly Output[] = ['none', 'null', 'diff', 'before', 'after']
const LONG = new Duration('30s')
const THEN = new DateTime('2024-01-01T00:00:00.123456789Z')

const PATCHES: Patch[] = [
  { op: 'add', path: '/tags/-', value: 'z' },
  { op: 'replace', path: '/name', value: 'Adam' },
  { op: 'copy', from: '/age', path: '/years' },
  { op: 'move', from: '/team', path: '/group' },
  { op: 'remove', path: '/tags/0' },
  { op: 'test', path: '/age', value: 36 },
]

const withPeople =
  (run: (db: SurrealQueryable) => Promise<unknown>): Case =>
  async ({ db }) => {
    await insertPeople(db)
    return await run(db)
  }

async function frames(stream: AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const all: unknown[] = []
  for await (const frame of stream) all.push(frame)
  return all
}

/** What there is afterwards, beside what the call answered. */
async function andThen(db: SurrealQueryable, call: () => PromiseLike<unknown>): Promise<unknown> {
  return { answer: await attempt(call), afterwards: await db.select(PERSON) }
}

export const RECORDS: Cases = {
  'select: a record, one that is not there, a range, a table, an unmade table': withPeople((db) =>
    attempts(
      () => db.select(person(1)),
      () => db.select(person(9)),
      () => db.select(new StringRecordId('person:2')),
      () => db.select(FIRST_TWO),
      () => db.select(new RecordIdRange('person', undefined, new BoundIncluded(2))),
      () => db.select(new RecordIdRange('person', new BoundExcluded(1), undefined)),
      () => db.select(PERSON),
      () => db.select(new Table('unmade')),
      () => db.select(new RecordId('unmade', 1)),
    ),
  ),
  'select: fields, value, start and limit': withPeople((db) =>
    attempts(
      () => db.select<Person>(PERSON).fields('name', 'age'),
      () => db.select<Person>(PERSON).value('name'),
      () => db.select<Person>(person(1)).value('team'),
      () => db.select<Person>(PERSON).start(1),
      () => db.select<Person>(PERSON).limit(2),
      () => db.select<Person>(PERSON).start(1).limit(1),
      () => db.select<Person>(PERSON).limit(-1),
      () => db.select<Person>(PERSON).fields('nothing'),
    ),
  ),
  'select: where': withPeople((db) =>
    attempts(
      () => db.select(PERSON).where(gt('age', 30)),
      () => db.select(PERSON).where(and(gte('age', 27), lte('age', 36))),
      () => db.select(PERSON).where(eq('team', new RecordId('team', 'blue'))),
      () => db.select(PERSON).where(undefined),
    ),
  ),
  'select: fetch': withPeople((db) =>
    attempts(
      () => db.select(PERSON).fetch('team'),
      () => db.select(person(1)).fetch('team', 'nothing'),
    ),
  ),
  'select: timeout, version': withPeople((db) =>
    attempts(
      () => db.select(PERSON).timeout(LONG),
      () => db.select(PERSON).timeout(new Duration('1ns')),
      () => db.select(PERSON).version(THEN),
      () => db.select(PERSON).version(new DateTime()),
    ),
  ),
  'select: json, stream, compile': withPeople(async (db) => [
    await db.select(PERSON).json(),
    await frames(db.select(PERSON).stream()),
    await frames(db.select(person(1)).json().stream()),
    db.select(PERSON).fields('name').limit(1).compile().query,
  ]),
  'create: with and without an id': async ({ db }) =>
    await attempts(
      () => db.create(person(1)),
      () => db.create(person(2)).content({ name: 'Bob' }),
      () => db.create(PERSON).content({ name: 'Cleo' }),
      () => db.create(new StringRecordId('person:4')).content({ id: person(4), name: 'Dan' }),
      () => db.create(person(5)).content({ id: person(6) }),
      () => db.create(person(2)).content({ name: 'again' }),
      () => db.create(new Table('with space')).content({ a: 1 }),
    ),
  'create: patch': async ({ db }) =>
    await attempts(
      () => db.create(person(1)).patch([{ op: 'add', path: '/name', value: 'Ada' }]),
      () => db.create(person(2)).patch([{ op: 'remove', path: '/nothing' }]),
      () => db.create(person(3)).patch([{ op: 'test', path: '/name', value: 'Ada' }]),
    ),
  'create: every output': async ({ db }) =>
    await attempts(...OUTPUTS.map((output, id) => () => db.create(person(id)).content({ name: 'x' }).output(output))),
  'create: timeout, version': async ({ db }) => [
    ...(await attempts(
      () => db.create(person(1)).content({ name: 'Ada' }).timeout(LONG),
      () => db.create(person(2)).content({ name: 'Bob' }).timeout(new Duration('1ns')),
      () => db.create(person(3)).content({ name: 'Cleo' }).version(THEN),
    )),
    await attempt(() => db.select(PERSON)),
    await attempt(() => db.select(PERSON).version(THEN)),
  ],
  'create: json, stream, compile, retry': async ({ db }) => [
    await db.create(person(1)).content({ at: THEN }).json(),
    await frames(db.create(person(2)).content({ a: 1 }).stream()),
    Object.keys(db.create(person(3)).content({ a: 1 }).compile().bindings).length,
    await db.create(person(3)).content({ a: 1 }).retry(),
    await attempt(() =>
      db.create(person(3)).retry({ attempts: 1, retryDelay: 1, retryDelayMax: 1, retryable: () => true }),
    ),
  ],
  'insert: one, many, into a table': async ({ db }) =>
    await attempts(
      () => db.insert({ id: person(1), name: 'Ada' }),
      () => db.insert([{ id: person(2) }, { id: person(3) }]),
      () => db.insert(PERSON, { id: 4, name: 'Dan' }),
      () => db.insert(PERSON, [{ id: person(5) }, { name: 'made' }]),
      () => db.insert(PERSON, { id: 4, name: 'again' }),
      () => db.insert({ name: 'no table' }),
      () => db.insert(PERSON, []),
      () => db.insert(PERSON, { id: new RecordId('other', 1) }),
    ),
  'insert: ignore': withPeople((db) =>
    andThen(db, () =>
      db
        .insert(PERSON, [
          { id: 1, name: 'again' },
          { id: 7, name: 'new' },
        ])
        .ignore(),
    ),
  ),
  'insert: relation': withPeople(async (db) => [
    ...(await attempts(
      () => db.insert({ id: new RecordId('knows', 1), in: person(1), out: person(2) }).relation(),
      () => db.insert(KNOWS, [{ id: 2, in: person(2), out: person(3), since: 2020 }]).relation(),
      () =>
        db
          .insert(KNOWS, { in: person(3), out: person(1) })
          .relation()
          .output('none'),
      () => db.insert(KNOWS, { id: 5, in: person(3) }).relation(),
      () => db.insert(KNOWS, { id: 6, in: person(3), out: person(99) }).relation(),
      () => db.insert(KNOWS, { id: 7 }),
    )),
    await db.query('SELECT VALUE ->knows->person.name FROM person'),
  ]),
  'insert: every output': async ({ db }) =>
    await attempts(...OUTPUTS.map((output, id) => () => db.insert(PERSON, { id, name: 'x' }).output(output))),
  'insert: timeout, version, retry, json, stream, compile': async ({ db }) => [
    ...(await attempts(
      () => db.insert(PERSON, { id: 1 }).timeout(LONG),
      () => db.insert(PERSON, { id: 2 }).version(THEN),
      () => db.insert(PERSON, { id: 3 }).retry(false),
      () => db.insert(PERSON, { id: 4, at: THEN }).json(),
    )),
    await frames(db.insert(PERSON, { id: 5 }).stream()),
    db.insert(PERSON, { id: 6 }).compile().query,
  ],
  'update: a record, one that is not there, a range, a table': withPeople((db) =>
    attempts(
      () => db.update(person(1)),
      () => db.update(person(1)).content({ name: 'Adam' }),
      () => db.update(person(9)).content({ name: 'nobody' }),
      () => db.update(FIRST_TWO).merge({ seen: true }),
      () => db.update(PERSON).merge({ all: 1 }),
      () => db.update(new StringRecordId('person:3')).content({ only: 1 }),
      () => db.update(new Table('unmade')).merge({ a: 1 }),
    ),
  ),
  'update: content, merge, replace, patch': withPeople((db) =>
    attempts(
      () => db.update(person(1)).content({ name: 'A' }),
      () => db.update(person(1)).merge({ name: 'B', nested: { a: 1 } }),
      () => db.update(person(1)).merge({ nested: { b: 2 }, name: undefined }),
      () => db.update(person(1)).replace({ name: 'C' }),
      () => db.update(person(2)).patch(PATCHES.slice(0, 5)),
      () => db.update(person(3)).patch([{ op: 'test', path: '/age', value: 1 }]),
      () => db.update(person(3)).patch([{ op: 'change', path: '/name', value: '@@ -1,4 +1,5 @@\n Cleo\n+!\n' }]),
      () => db.update(person(3)).patch([{ op: 'nope' } as unknown as Patch]),
      () => db.update(person(3)).content('text' as never),
    ),
  ),
  'update: where, every output': withPeople(async (db) => [
    await db.update(PERSON).merge({ old: true }).where(gt('age', 30)),
    ...(await attempts(...OUTPUTS.map((output, n) => () => db.update(person(1)).merge({ n }).output(output)))),
  ]),
  'update: timeout, retry, json, stream, compile': withPeople(async (db) => [
    await attempt(() => db.update(person(1)).merge({ a: 1 }).timeout(LONG)),
    await attempt(() => db.update(PERSON).merge({ a: 1 }).timeout(new Duration('1ns'))),
    await db.update(person(1)).merge({ a: 2 }).retry(true),
    await db.update(person(1)).merge({ at: THEN }).json(),
    await frames(db.update(person(1)).merge({ a: 3 }).stream()),
    db.update(person(1)).merge({ a: 3 }).where(eq('a', 1)).compile().query,
  ]),
  'upsert: a record, one that is not there, a range, a table': withPeople((db) =>
    attempts(
      () => db.upsert(person(1)).content({ name: 'Adam' }),
      () => db.upsert(person(9)).content({ name: 'new' }),
      () => db.upsert(person(8)),
      () => db.upsert(FIRST_TWO).merge({ seen: true }),
      () => db.upsert(PERSON).merge({ all: 1 }),
      () => db.upsert(new Table('unmade')).merge({ a: 1 }),
      () => db.upsert(new StringRecordId('person:7')).content({ only: 1 }),
    ),
  ),
  'upsert: content, merge, replace, patch': withPeople((db) =>
    attempts(
      () => db.upsert(person(1)).content({ name: 'A' }),
      () => db.upsert(person(1)).merge({ name: 'B' }),
      () => db.upsert(person(1)).replace({ name: 'C' }),
      () => db.upsert(person(1)).patch([{ op: 'add', path: '/a', value: [1] }]),
      () => db.upsert(person(9)).patch([{ op: 'add', path: '/a', value: { b: null } }]),
    ),
  ),
  'upsert: where, every output': withPeople(async (db) => [
    await db.upsert(PERSON).merge({ old: true }).where(gt('age', 30)),
    await db.upsert(person(1)).merge({ old: false }).where(eq('age', 0)),
    ...(await attempts(...OUTPUTS.map((output, n) => () => db.upsert(person(1)).merge({ n }).output(output)))),
  ]),
  'upsert: timeout, retry, json, stream, compile': withPeople(async (db) => [
    await attempt(() => db.upsert(person(1)).merge({ a: 1 }).timeout(LONG)),
    await db.upsert(person(1)).merge({ a: 2 }).retry(),
    await db.upsert(person(1)).merge({ at: THEN }).json(),
    await frames(db.upsert(person(1)).merge({ a: 3 }).stream()),
    db.upsert(PERSON).output('none').compile().query,
  ]),
  'delete: a record, one that is not there, a range, a table': withPeople(async (db) => [
    ...(await attempts(
      () => db.delete(person(1)),
      () => db.delete(person(9)),
      () => db.delete(new RecordIdRange('person', new BoundIncluded(2), new BoundIncluded(2))),
      () => db.delete(PERSON),
      () => db.delete(new Table('unmade')),
      () => db.delete(new StringRecordId('team:blue')),
    )),
    await db.select(PERSON),
  ]),
  'delete: every output': withPeople((db) =>
    attempts(...OUTPUTS.map((output, n) => () => db.delete(person(n + 1)).output(output))),
  ),
  'delete: timeout, version, retry, json, stream, compile': withPeople(async (db) => [
    await attempt(() => db.delete(person(1)).timeout(LONG)),
    await attempt(() => db.delete(person(2)).version(THEN)),
    await db.delete(person(2)).retry(),
    await db.delete(person(3)).json(),
    await frames(db.delete(new RecordId('team', 'blue')).stream()),
    db.delete(PERSON).output('before').compile().query,
  ]),
  'relate: one to one, many to many, with data': withPeople(async (db) => [
    ...(await attempts(
      () => db.relate(person(1), new RecordId('knows', 1), person(2)),
      () => db.relate(person(1), new RecordId('knows', 2), person(3), { since: 2020 }),
      () => db.relate([person(1), person(2)], KNOWS, [person(3)], { many: true }),
      () => db.relate(new StringRecordId('person:2'), KNOWS, new StringRecordId('person:1')),
      () => db.relate(person(1), new Table('person'), person(2)),
      () => db.relate(person(1), new RecordId('knows', 1), person(2)),
    )),
    await db.query('SELECT VALUE count(->knows) FROM person'),
  ]),
  'relate: unique, every output': withPeople(async (db) => [
    ...(await attempts(
      () => db.relate(person(1), KNOWS, person(2)).unique(),
      () => db.relate(person(1), KNOWS, person(2)).unique(),
      ...OUTPUTS.map((output) => () => db.relate(person(2), KNOWS, person(3), { a: 1 }).output(output)),
    )),
  ]),
  'relate: timeout, version, retry, json, stream, compile': withPeople(async (db) => [
    await attempt(() => db.relate(person(1), new RecordId('knows', 1), person(2)).timeout(LONG)),
    await attempt(() => db.relate(person(1), new RecordId('knows', 2), person(2)).version(THEN)),
    await db.relate(person(1), new RecordId('knows', 3), person(2)).retry(),
    await db.relate(person(1), new RecordId('knows', 4), person(2)).json(),
    await frames(db.relate(person(1), new RecordId('knows', 5), person(2)).stream()),
    db.relate(person(1), KNOWS, person(2)).unique().compile().query,
  ]),
  'run: functions of SurrealDB, own ones, unknown ones': async ({ db }) => {
    await db.query('DEFINE FUNCTION fn::twice($n: int) { RETURN $n * 2 }; DEFINE FUNCTION fn::none() {}')
    return await attempts(
      () => db.run('math::abs', [-1]),
      () => db.run('string::len', ['abc']),
      () => db.run('time::floor', [THEN, new Duration('1h')]),
      () => db.run('fn::twice', [21]),
      () => db.run('fn::twice', ['x']),
      () => db.run('fn::twice', []),
      () => db.run('fn::none'),
      () => db.run('fn::unmade', [1]),
      () => db.run('nope::nope', []),
      () => db.run('ml::model', '1.0.0', [{ a: 1 }]),
      () => db.run('math::abs', '1.0.0', [1]),
      () => db.run('bad name', []),
    )
  },
  'run: json, stream, compile, retry': async ({ db }) => [
    await db.run('type::datetime', ['2024-01-01T00:00:00Z']).json(),
    await frames(db.run('math::abs', [-1]).stream()),
    db.run('math::abs', [-1]).compile().query,
    await db.run('math::abs', [-2]).retry(),
  ],
}
