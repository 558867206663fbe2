import type { SqlExportOptions } from 'surrealdb'
import { attempt, attempts, type Cases, type Sdk } from '../sdk.ts'

async function define({ db }: Sdk): Promise<void> {
  await db.query(`
    DEFINE TABLE person SCHEMALESS; DEFINE FIELD name ON person TYPE string; DEFINE INDEX name ON person FIELDS name;
    DEFINE TABLE knows TYPE RELATION;
    DEFINE FUNCTION fn::one() { RETURN 1 };
    DEFINE PARAM $limit VALUE 10;
    DEFINE ANALYZER words TOKENIZERS blank;
    DEFINE ACCESS who ON DATABASE TYPE RECORD SIGNUP (CREATE person);
    DEFINE API '/one' FOR get THEN { RETURN { body: 1 } };
    DEFINE SEQUENCE numbers;
    CREATE person:1 SET name = 'Ada', at = d'2024-01-01T00:00:00.123456789Z', price = 1.50dec, wait = 1h;
    CREATE person:2 SET name = 'it\\'s', bytes = <bytes>'x', nothing = NULL, many = [1, 1.5, { a: NONE }], set = <set>[1, 2];
    CREATE person:⟨a b⟩ SET name = 'spaced', point = (1, 2), range = 1..5, link = person:1;
    CREATE person:[1, 'x'] SET name = 'listed', id2 = u'11111111-1111-4111-8111-111111111111';
    RELATE person:1->knows:1->person:2 SET since = 2020`)
}

/** Without the secret keys, which each server makes for itself. */
const readable = (text: unknown): unknown =>
  typeof text === 'string' ? text.replaceAll(/KEY '[^']*'/g, "KEY 'made-up'").split('\n') : text

const OPTIONS: readonly (keyof SqlExportOptions)[] = [
  'users',
  'accesses',
  'params',
  'functions',
  'analyzers',
  'apis',
  'buckets',
  'modules',
  'configs',
  'versions',
  'records',
  'sequences',
  'v3',
]

export const TRANSFER: Cases = {
  'export: everything': async (sdk) => {
    await define(sdk)
    return readable(await attempt(() => sdk.db.export()))
  },
  'export: an empty database': async ({ db }) => readable(await attempt(() => db.export())),
  'export: raw': async (sdk) => {
    await define(sdk)
    const answer = await attempt(() => sdk.db.export().raw())
    if (!(answer instanceof Response)) return answer
    return [answer.status, answer.headers.get('content-type'), readable(await answer.text())]
  },
  'export: each option left out': async (sdk) => {
    await define(sdk)
    return await attempts(
      ...OPTIONS.map((option) => async () => [option, readable(await sdk.db.export({ [option]: false }))]),
    )
  },
  'export: each option alone': async (sdk) => {
    await define(sdk)
    const none = Object.fromEntries([...OPTIONS, 'tables'].map((option) => [option, false]))
    return await attempts(
      ...OPTIONS.map((option) => async () => [option, readable(await sdk.db.export({ ...none, [option]: true }))]),
    )
  },
  'export: tables': async (sdk) => {
    await define(sdk)
    return await attempts(
      ...([true, false, ['knows'], ['person', 'knows'], ['unmade'], []] as const).map(
        (tables) => async () => readable(await sdk.db.export({ tables: tables as boolean | string[], records: true })),
      ),
    )
  },
  'export: no database selected': async ({ driver, url, root }) => {
    const db = driver()
    await db.connect(url, { authentication: root })
    return await attempts(
      () => db.export(),
      () => db.import('RETURN 1'),
    )
  },
  'import: a text, a blob, a stream': async ({ db }) => {
    const answers = await attempts(
      () => db.import('OPTION IMPORT; CREATE t:1 SET a = 1;'),
      () => db.import(new Blob(['OPTION IMPORT; CREATE t:2 SET a = 2;'])),
      () => db.import(new Blob(['OPTION IMPORT;\nCREATE t:3;\n', 'CREATE t:4;']).stream() as unknown as ReadableStream),
    )
    return [answers, await attempt(() => db.query('SELECT * FROM t'))]
  },
  'import: wrong ones': async ({ db }) => {
    const answers = await attempts(
      () => db.import('RETRN 1'),
      () => db.import('CREATE t:1; CREATE t:1;'),
      () => db.import('THROW "no"; CREATE t:2'),
      () => db.import(''),
    )
    return [answers, await attempt(() => db.query('SELECT * FROM t'))]
  },
  'export and import: the same again': async (sdk) => {
    await define(sdk)
    // Without what has a secret key, which no export contains.
    const text = await attempt(() => sdk.db.export({ accesses: false }))
    if (typeof text !== 'string') return text
    const copy = `copy_${sdk.database}`
    await sdk.db.query(`DEFINE DATABASE ${copy}`)
    const other = await sdk.connect({ database: copy })
    await other.import(text)
    const all = 'SELECT * FROM person ORDER BY id; SELECT * FROM knows; RETURN fn::one(); RETURN $limit'
    return [await other.query(all), await sdk.db.query(all)]
  },
  'exportModel: without machine learning': async ({ db }) =>
    await attempts(
      () => db.exportModel('model', '1.0.0'),
      () => db.exportModel('model', '1.0.0').raw(),
    ),
}
