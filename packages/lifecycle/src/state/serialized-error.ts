import { isError, type Json, ProcrefError } from '@procref/core'
import * as lifecycleErrors from '../errors.ts'

/** An error as JSON, for `server.json` and the guardian's status pipe. Never contains a secret, because no error does. */
export interface SerializedError {
  readonly code?: string
  readonly name: string
  readonly message: string
  /** The error's own facts (`path`, `differences`, …), those that are JSON. */
  readonly details: { readonly [key: string]: Json }
  readonly cause?: SerializedError
  /** Only of errors that nobody expected (no code): what a bug report needs. */
  readonly stack?: string
}

/** A chain of causes is cut here: it may be a ring. */
const MAX_CAUSES = 5
/** Another version may write a longer one; a text that nests deeper than calls can was written by none. */
const MOST_CAUSES = 100
/** Facts nested deeper are left out: they may be a ring as well. */
const MAX_DEPTH = 8
const NOT_DETAILS: ReadonlySet<string> = new Set(['code', 'name', 'message', 'stack', 'cause'])

/** Carries `error`, whatever was thrown, over to another process. Never throws. */
export function serializeError(error: unknown): SerializedError {
  return serialize(error, MAX_CAUSES)
}

/**
 * Makes an error of what `serializeError` wrote: of the lifecycle's own class where the code is one of its codes, else a
 * `ProcrefError` or, without such a code, an `Error`. Code, message and facts are those of the original, to the letter,
 * even when the other process had another version of procref.
 */
export function rebuildError(serialized: SerializedError): Error {
  const error = create(serialized)
  for (const [key, value] of Object.entries(serialized.details)) {
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true })
  }
  if (serialized.stack !== undefined) error.stack = `${serialized.stack}\n    (in the guardian)`
  return error
}

/** The shape that `rebuildError` relies on. */
export function isSerializedError(value: unknown, causes: number = MOST_CAUSES): value is SerializedError {
  if (typeof value !== 'object' || value === null) return false
  const v = value as Record<string, unknown>
  return (
    (v.code === undefined || typeof v.code === 'string') &&
    typeof v.name === 'string' &&
    typeof v.message === 'string' &&
    typeof v.details === 'object' &&
    v.details !== null &&
    (v.cause === undefined || (causes > 0 && isSerializedError(v.cause, causes - 1))) &&
    (v.stack === undefined || typeof v.stack === 'string')
  )
}

function serialize(error: unknown, causes: number): SerializedError {
  if (!isError(error)) return { name: 'Error', message: String(error), details: {} }
  const code = (error as { code?: unknown }).code
  const details: Record<string, Json> = {}
  for (const [key, value] of Object.entries(error)) {
    if (!NOT_DETAILS.has(key) && isJson(value)) details[key] = value
  }
  return {
    ...(typeof code === 'string' ? { code } : {}),
    name: error.name,
    message: error.message,
    details,
    ...(error.cause !== undefined && causes > 0 ? { cause: serialize(error.cause, causes - 1) } : {}),
    ...(typeof code !== 'string' && error.stack !== undefined ? { stack: error.stack } : {}),
  }
}

function create(serialized: SerializedError): Error {
  const options = serialized.cause === undefined ? undefined : { cause: rebuildError(serialized.cause) }
  const { code } = serialized
  if (code === undefined || !isProcrefCode(code)) {
    const error = new Error(serialized.message, options)
    error.name = serialized.name
    return code === undefined ? error : Object.assign(error, { code })
  }
  const ErrorClass = CLASSES.get(code)
  if (ErrorClass === undefined) {
    const error = new ProcrefError(code, serialized.message, options)
    // The class is not ours to know (a driver's), its name still helps people.
    error.name = serialized.name
    return error
  }
  // ProcrefError's constructor with the subclass as `new.target`: a true error of the right class, without running the
  // subclass's constructor, which would word the message anew from facts that another version may not have sent.
  return Reflect.construct(ProcrefError, [code, serialized.message, options], ErrorClass) as Error
}

type LifecycleErrorClass = (typeof lifecycleErrors)[keyof typeof lifecycleErrors]
const CLASSES: ReadonlyMap<string, LifecycleErrorClass> = new Map(
  Object.values(lifecycleErrors).map((ErrorClass) => [ErrorClass.code, ErrorClass]),
)

function isProcrefCode(code: string): code is `PROCREF_${string}` {
  return code.startsWith('PROCREF_')
}

function isJson(value: unknown, depth: number = MAX_DEPTH): value is Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth === 0) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  const plain = Array.isArray(value) || prototype === Object.prototype || prototype === null
  return plain && Object.values(value).every((part) => isJson(part, depth - 1))
}
