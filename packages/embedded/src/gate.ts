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
}

const DATA: MethodRule = { caller: 'signed-in', session: 'used' }
const CHANGE: MethodRule = { caller: 'anyone', session: 'changed' }
const PLAIN: MethodRule = { caller: 'anyone', session: 'none' }

const RULES: ReadonlyMap<string, MethodRule> = new Map([
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
  ['info', DATA],
  ['query', DATA],
  ['select', DATA],
  ['create', DATA],
  ['insert', DATA],
  ['insert_relation', DATA],
  ['upsert', DATA],
  ['merge', DATA],
  ['delete', DATA],
  ['live', DATA],
  ['kill', DATA],
  ['update', DATA],
  ['patch', DATA],
  ['relate', DATA],
  ['run', DATA],
])

/** `undefined`: there is no such method. Names are case-sensitive. */
export function ruleFor(method: string): MethodRule | undefined {
  return RULES.get(method)
}
