/**
 * Which methods there are, who may call them, and how they treat their session. With guest access denied, the real server
 * lets a caller who has not signed in do exactly this: sign in, choose a namespace, set variables, begin a transaction that
 * nothing can be done in, ask for the version. Everything that reads or writes data is refused.
 *
 * The engine itself refuses nothing: to it, who has not signed in is the owner. So what is not listed here is not passed on.
 */
export interface MethodRule {
  /** `anyone`: also before a sign-in. */
  readonly caller: 'anyone' | 'signed-in'
  /** `changed`: the call runs alone in its session. `none`: it does not look at a session. */
  readonly session: 'used' | 'changed' | 'none'
  /** Carried out outside of the transaction that it is called in, and not asked whether there is one: as by the real server. */
  readonly outside?: true
  /** Looked at before who calls, as by the real server. */
  readonly params?: ParamsRule
}

export interface ParamsRule {
  readonly least: number
  readonly most: number
  /** What is said when there are more or fewer. */
  readonly expected: string
}

function data(least: number, most: number, expected: string): MethodRule {
  return { caller: 'signed-in', session: 'used', params: { least, most, expected } }
}

const CHANGE: MethodRule = { caller: 'anyone', session: 'changed' }
const PLAIN: MethodRule = { caller: 'anyone', session: 'none' }

const RULES: ReadonlyMap<string, MethodRule> = new Map<string, MethodRule>([
  ['ping', PLAIN],
  ['version', PLAIN],
  ['sessions', PLAIN],
  ['attach', PLAIN],
  ['detach', PLAIN],
  ['begin', PLAIN],
  ['commit', PLAIN],
  ['cancel', PLAIN],
  ['revoke', PLAIN],
  ['use', CHANGE],
  ['signin', CHANGE],
  ['signup', CHANGE],
  ['authenticate', CHANGE],
  ['refresh', CHANGE],
  ['invalidate', CHANGE],
  ['reset', CHANGE],
  ['set', CHANGE],
  ['let', CHANGE],
  ['unset', CHANGE],
  ['info', { caller: 'signed-in', session: 'used' }],
  ['query', data(1, 2, 'Expected (query:string, vars:object)')],
  ['select', data(1, 1, 'Expected (what:Value)')],
  ['create', data(1, 2, 'Expected (what:Value, data:Value)')],
  ['insert', data(2, 2, 'Expected (what:Value, data:Value)')],
  ['insert_relation', data(2, 2, 'Expected (what, data)')],
  ['upsert', data(1, 2, 'Expected (what:Value, data:Value)')],
  ['merge', data(1, 2, 'Expected (what:Value, data:Value)')],
  ['delete', data(1, 1, 'Expected (what:Value)')],
  ['live', data(1, 2, 'Expected (what, diff)')],
  ['kill', data(1, 1, 'Expected (id)')],
  ['update', { ...data(1, 2, 'Expected (what, data)'), outside: true }],
  ['patch', { ...data(1, 3, 'Expected (what:Value, data:Value, diff:Value)'), outside: true }],
  ['relate', { ...data(3, 4, 'Expected (from:Value, kind:Value, with:Value, data:Value)'), outside: true }],
  ['run', { ...data(1, 3, 'Expected (name:string, version:string, args:array)'), outside: true }],
])

/** `undefined`: there is no such method. Names are case-sensitive. */
export function ruleFor(method: string): MethodRule | undefined {
  return RULES.get(method)
}
