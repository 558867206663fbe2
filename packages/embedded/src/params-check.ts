import { decodeValue, encodeArray, encodeValue, NULL, readElements } from './cbor.ts'
import { headAt, MAJOR } from './cbor-walk.ts'
import type { Engine } from './engine.ts'
import { ruleFor } from './gate.ts'
import { invalidParams, type RpcError } from './rpc-errors.ts'
import { isNullish } from './rpc-request.ts'

/**
 * What is wrong with the params of a call that reads or writes data, in the real server's words; `undefined`: nothing. It looks at the
 * params first, and at who calls when it carries a call out: for a caller who has not signed in that is done here, because the engine
 * would carry it out for anybody.
 */
export async function wrongParams(engine: Engine, method: string, params: Buffer): Promise<RpcError | undefined> {
  const rule = ruleFor(method)?.params
  if (rule === undefined) return undefined
  const given = readElements(params)
  if (given.length < rule.least || given.length > rule.most) return invalidParams(rule.expected)
  const [first, second, third] = given
  if (method === 'query') {
    // A text of a hundred megabytes is not decoded for this.
    if (majorOf(first) !== MAJOR.text) return invalidParams('Expected query to be string')
    return isObject(second) ? undefined : await unexpected(engine, 'Expected vars to be object', second, 'optional')
  }
  if (method !== 'run') return undefined
  if (majorOf(first) !== MAJOR.text) return await unexpected(engine, 'Expected name to be string', first, 'required')
  if (!isVersion(second)) return await unexpected(engine, 'Expected version to be string', second, 'optional')
  return isList(third) ? undefined : await unexpected(engine, 'Expected args to be array', third, 'optional')
}

const isMissing = (value: Buffer | undefined): boolean => value === undefined || isNullish(value)
const isObject = (value: Buffer | undefined): boolean => isMissing(value) || majorOf(value) === MAJOR.map
const isVersion = (value: Buffer | undefined): boolean => isMissing(value) || majorOf(value) === MAJOR.text
const isList = (value: Buffer | undefined): boolean => isMissing(value) || majorOf(value) === MAJOR.array

function majorOf(value: Buffer | undefined): number | undefined {
  return value === undefined ? undefined : headAt(value, 0).major
}

async function unexpected(
  engine: Engine,
  expected: string,
  value: Buffer | undefined,
  position: 'required' | 'optional',
): Promise<RpcError> {
  const got = value === undefined ? 'None' : await inErrors(engine, value)
  return invalidParams(`${expected}, got ${position === 'required' ? got : `Some(${got})`}`)
}

const GOT = ', got '

/**
 * How errors of the engine and of the real server write a value. The engine says it of a `run` that it refuses: whose name is no text, or
 * whose arguments are one; nothing is carried out.
 */
export async function inErrors(engine: Engine, value: Buffer): Promise<string> {
  const isText = majorOf(value) === MAJOR.text
  const params = encodeArray(isText ? [encodeValue('refused'), NULL, value] : [value])
  const answer = await engine.call({ method: 'run', params })
  const { message } = ('error' in answer ? decodeValue(answer.error) : {}) as { readonly message?: string }
  const got = message?.slice(message.indexOf(GOT) + GOT.length) ?? ''
  return isText ? got.slice('Some('.length, -1) : got
}
