import {
  BoundExcluded,
  BoundIncluded,
  DateTime,
  Decimal,
  Duration,
  FileRef,
  GeometryCollection,
  GeometryLine,
  GeometryMultiLine,
  GeometryMultiPoint,
  GeometryMultiPolygon,
  GeometryPoint,
  GeometryPolygon,
  Range,
  RecordId,
  RecordIdRange,
  StringRecordId,
  Table,
  Uuid,
} from 'surrealdb'
import { attempts, type Cases } from '../sdk.ts'

const UUID = new Uuid('11111111-1111-4111-8111-111111111111')
const point = new GeometryPoint([1.5, -2])
const line = new GeometryLine([point, new GeometryPoint([3, 4])])
const ring = new GeometryLine({
  type: 'LineString',
  coordinates: [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 0],
  ],
})
const polygon = new GeometryPolygon([ring])

/** Stored, read again, and said by the server as text and by the name of its type. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  plain: [true, false, null, undefined, '', 'text ü 😀 \u0000', 'a\nb'],
  numbers: [0, -0, 1, -1, 1.5, 2 ** 53, 0.1, 1e308, 5e-324, 123n, 2n ** 63n - 1n, -(2n ** 63n)],
  'numbers that are none': [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  decimals: ['0', '1.50', '-1.5', '123456789012345678.123456789', '1e-10'].map((text) => new Decimal(text)),
  durations: ['0ns', '1ns', '1h30m', '1y2w3d4h5m6s7ms8us9ns', '584942417355y'].map((text) => new Duration(text)),
  datetimes: [
    ...['2024-02-29T12:00:00.123456789Z', '1969-12-31T23:59:59.5Z', '0001-01-01T00:00:00Z'].map(
      (at) => new DateTime(at),
    ),
    new Date('2024-01-01T00:00:00.120Z'),
  ],
  uuids: [UUID, new Uuid('22222222-2222-7222-8222-222222222222')],
  bytes: [new Uint8Array([0, 1, 255]), new Uint8Array()],
  'record ids': [
    new RecordId('t', 1),
    new RecordId('t', -1),
    new RecordId('t', 2n ** 62n),
    new RecordId('t', 'text'),
    new RecordId('t', 'with ⟩ and `'),
    new RecordId('t', '123'),
    new RecordId('t', UUID),
    new RecordId('t', [1, 'a', { b: 2 }]),
    new RecordId('t', { a: 1, b: [new DateTime('2024-01-01T00:00:00Z')] }),
    new RecordId('a table', 'x'),
    new StringRecordId('t:⟨a b⟩'),
    new StringRecordId('t:[1, 2]'),
  ],
  ranges: [
    new Range(new BoundIncluded(1), new BoundIncluded(2)),
    new Range(new BoundExcluded('a'), undefined),
    new Range(undefined, new BoundExcluded(5)),
    new Range(undefined, undefined),
    new RecordIdRange('t', new BoundIncluded(1), new BoundExcluded(9)),
    new RecordIdRange('t', undefined, new BoundIncluded('z')),
  ],
  tables: [new Table('t'), new Table('with space')],
  files: [new FileRef('bucket', 'some/key.txt'), new FileRef('bucket', 'with space')],
  geometries: [
    point,
    line,
    polygon,
    new GeometryMultiPoint([point, point]),
    new GeometryMultiLine([line]),
    new GeometryMultiPolygon([polygon]),
    new GeometryCollection([point, line, polygon]),
  ],
  'nested ones': [
    [],
    {},
    [[], [[1]], { a: [] }],
    { a: { b: { c: [null, undefined, new Duration('1s')] } }, '': 1, 'a.b': 2, ü: 3 },
    new Set([1, 2, 'x']),
    new Set(),
    new Map([['a', 1]]),
    Symbol('x'),
    () => 1,
    { toJSON: () => 'never asked' },
  ],
}

export const VALUE_TYPES: Cases = {
  ...Object.fromEntries(
    Object.entries(VALUES).map(([name, values]) => [
      `values: ${name}`,
      async ({ db }) =>
        await attempts(
          ...values.map((value, id) => async () => {
            const record = new RecordId('stored', id)
            await db.create(record).content({ value })
            const [text, type] = await db.query('RETURN <string>$value; RETURN type::of($value)', { value })
            return [await db.select(record).value('value'), text, type]
          }),
        ),
    ]),
  ),
  'values: made by the server': async ({ db }) =>
    await attempts(
      ...[
        '[NONE, NULL, true]',
        '[1, 1f, 1dec, 1.0, 1e3, -0f, 9223372036854775807]',
        '[1ns, 1y, duration::max]',
        '[d"2024-01-01T00:00:00.000000001Z", d"-262143-01-01T00:00:00Z"]',
        '[u"11111111-1111-4111-8111-111111111111", <uuid>"22222222-2222-7222-8222-222222222222"]',
        '[1..2, 1>..=2, "a"..]',
        '[t:1, t:⟨x y⟩, t:[1], t:{ a: 1 }, t:u"11111111-1111-4111-8111-111111111111", t:1..5, t:..]',
        '(1.5, 2)',
        '{ type: "Polygon", coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]] }',
        '{ type: "GeometryCollection", geometries: [{ type: "Point", coordinates: [1, 2] }] }',
        '<bytes>"ab"',
        '<set>[2, 1, 2]',
        '/a+/i',
        '|$x| $x + 1',
        'f"bucket:/key"',
        'type::table("t")',
        '{ "": 1, nested: { a: [{}] } }',
        'math::inf',
        'math::nan',
        '<decimal>"123456789012345678901234567890.123"',
        '99999999999999999999dec',
        'rand::uuid()',
        'rand::ulid().len()',
        '<string>time::now().len() > 0',
      ].map((value) => () => db.query(`RETURN ${value}`)),
    ),
  'codec: native dates': async ({ driver, url, db, namespace, database, root }) => {
    const other = driver({ codecOptions: { useNativeDates: true } })
    await other.connect(url, { namespace, database, authentication: root })
    const at = new DateTime('2024-01-01T00:00:00.123456789Z')
    const [date] = await other.query<[Date]>('RETURN $at', { at })
    return [date instanceof Date, date, await db.query('RETURN $at', { at })]
  },
  'codec: visitors see what goes out and what comes in': async ({ driver, url, namespace, database, root }) => {
    const out: unknown[] = []
    const other = driver({
      codecOptions: {
        valueEncodeVisitor: (value) => {
          if (value instanceof Duration) out.push(value)
          return value
        },
        valueDecodeVisitor: (value) => (value instanceof Duration ? 'seen' : value),
      },
    })
    await other.connect(url, { namespace, database, authentication: root })
    return [await other.query('RETURN [$d, 1]', { d: new Duration('1h') }), out]
  },
  'values: deeply nested, too large': async ({ db }) => {
    let deep: unknown = 1
    for (let depth = 0; depth < 90; depth++) deep = [deep]
    return await attempts(
      () => db.query('RETURN $deep', { deep }),
      () => db.query('RETURN $a', { a: 2n ** 64n }),
    )
  },
}
