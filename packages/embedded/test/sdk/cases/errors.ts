import { RecordId, Table } from 'surrealdb'
import { attempt, attempts, type Cases } from '../sdk.ts'

export const ERRORS: Cases = {
  'errors: of statements, with their details': async ({ db }) => {
    await db.query(`DEFINE TABLE t SCHEMAFULL; DEFINE FIELD n ON t TYPE int ASSERT $value > 0; DEFINE INDEX one ON t FIELDS n UNIQUE;
      CREATE t:1 SET n = 1; DEFINE TABLE closed PERMISSIONS NONE; DEFINE FUNCTION fn::needs($a: int) { RETURN $a }`)
    return await attempts(
      ...[
        'RETRN 1',
        'SELECT * FROM',
        'CREATE t:1 SET n = 2',
        'CREATE t:2 SET n = 1',
        'CREATE t:3 SET n = 0',
        'CREATE t:4 SET n = "x"',
        'CREATE t:5 SET n = 5, more = 1',
        'THROW "thrown"',
        'THROW { a: 1 }',
        'RETURN fn::unmade()',
        'RETURN fn::needs("x")',
        'RETURN fn::needs()',
        'RETURN math::abs("x")',
        'RETURN 1 / 0',
        'RETURN 1 + "x"',
        'RETURN <int>"x"',
        'RETURN type::record("a")',
        'SELECT * FROM ONLY t, t',
        'SELECT * FROM unmade',
        'SELECT * FROM person WHERE TIMEOUT 1ns',
        'SLEEP 50ms TIMEOUT 1ms',
        'CREATE unmade:1 RETURN AFTER TIMEOUT 1ns',
        'REMOVE TABLE unmade',
        'INFO FOR TABLE unmade',
        'DEFINE TABLE t',
        'REMOVE USER nobody ON ROOT',
        'RELATE t:1->knows->x',
        'LET $auth = 1',
        'RETURN array::at([1], "x")',
        'RETURN string::repeat("x", 99999999999)',
        'SELECT * FROM t WITH INDEX unmade',
        'DEFINE ACCESS a ON DATABASE TYPE JWT ALGORITHM HS256 KEY "x"; DEFINE ACCESS a ON DATABASE TYPE JWT ALGORITHM HS256 KEY "x"',
        'USE DB none; SELECT * FROM t',
        'RETURN $x.y.z; RETURN [][0]; RETURN {}.a',
        'BEGIN; CREATE t:9 SET n = 9; CREATE t:1 SET n = 1; COMMIT',
        'BREAK',
        'RETURN { BREAK }',
        'FOR $x IN 1 { }',
        'SELECT * FROM t GROUP BY nope',
        'DEFINE BUCKET b',
        'RETURN file::get(f"b:/x")',
        'RETURN crypto::argon2::compare("x", "y")',
        'RETURN encoding::base64::decode("***")',
        'RETURN time::format(d"2024-01-01T00:00:00Z", "%Y")',
        'RETURN duration::from::secs(-1)',
        'RETURN type::datetime("no")',
        'RETURN parse::url::host("no url")',
        'RETURN value::diff({ a: 1 }, { a: 2 })',
        'RETURN type::of(rand::int(5, 1))',
        'RETURN vector::add([1], [1, 2])',
      ].map((statement) => () => db.query(statement)),
    )
  },
  'errors: not executed, cancelled': async ({ db }) =>
    await db.query('BEGIN; CREATE t:1; THROW "x"; CREATE t:2; COMMIT; RETURN 1').responses(),
  'errors: recursion without end in a query': async ({ db }) =>
    await attempt(() => db.query(`RETURN ${'('.repeat(500)}1${')'.repeat(500)}`)),
  'errors: no database selected': async ({ driver, url, root, namespace }) => {
    const db = driver()
    await db.connect(url, { authentication: root, namespace })
    return await attempts(
      () => db.select(new Table('t')),
      () => db.create(new RecordId('t', 1)),
      () => db.query('INFO FOR DB'),
      () => db.query('RETURN 1'),
    )
  },
}
