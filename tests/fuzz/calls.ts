import { PASSWORD, USER } from '../../packages/embedded/test/server.ts'

interface Call {
  readonly id?: unknown
  readonly method: string
  readonly params?: readonly unknown[]
}

const NOBODY = '44444444-4444-4444-8444-444444444444'

/** One call of each method, none of which takes long. `uuid` makes one in the format of the messages. */
export function callsOf(uuid: (text: string) => unknown): readonly Call[] {
  const methods: readonly (readonly [string, readonly unknown[]])[] = [
    ['ping', []],
    ['version', []],
    ['info', []],
    ['use', ['main', 'main']],
    ['signin', [{ user: USER, pass: PASSWORD }]],
    ['signin', [{ ns: 'main', db: 'main', ac: 'nobody', user: 'a', pass: 'b' }]],
    ['signup', [{ NS: 'main', DB: 'main', AC: 'nobody' }]],
    ['authenticate', ['eyJhbGciOiJIUzUxMiJ9.e30.x']],
    ['invalidate', []],
    ['set', ['a', [1, 2.5, null, 'é']]],
    ['unset', ['a']],
    ['query', ['RETURN $x; SELECT * FROM t; LET $y = 1', { x: { y: [true] } }]],
    ['query', ['CREATE t SET n = 1; DELETE t']],
    ['select', ['t']],
    ['create', ['t', { n: 1 }]],
    ['insert', ['t', [{ n: 1 }]]],
    ['insert_relation', ['t', {}]],
    ['upsert', ['t:1', { n: 2 }]],
    ['update', ['t', { n: 3 }]],
    ['merge', ['t', { m: 4 }]],
    ['patch', ['t', [{ op: 'add', path: '/x', value: 1 }]]],
    ['delete', ['t']],
    ['relate', ['a:1', 'b', 'c:1', { n: 1 }]],
    ['run', ['time::now', null, []]],
    ['live', ['t']],
    ['kill', [uuid(NOBODY)]],
    ['begin', []],
    ['commit', [uuid(NOBODY)]],
    ['cancel', [uuid(NOBODY)]],
    ['sessions', []],
    ['attach', []],
    ['detach', []],
    ['graphql', ['{ t }']],
  ]
  return methods.map(([method, params], id) => ({ id, method, params }))
}
