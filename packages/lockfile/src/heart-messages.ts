import type { MessagePort } from 'node:worker_threads'
import type { OwnRecord } from './owner-record.ts'

/** What the worker is started with. */
export interface HeartSetup {
  /** Questions come in here, one answer for each goes out. */
  readonly calls: MessagePort
  /** `LostNotice`s go out here. */
  readonly notices: MessagePort
  /** One Int32: 1 once the answer is there. */
  readonly answered: SharedArrayBuffer
}

export type HeartCall =
  | {
      readonly do: 'take'
      readonly owners: string
      readonly number: number
      readonly record: OwnRecord
      readonly beatMs: number
    }
  /** Needs no answer. */
  | { readonly do: 'forget'; readonly claim: string }

export type HeartAnswer =
  | { readonly taken: boolean }
  /** The thread cannot do its work at all. */
  | { readonly broken: Failure }
  | { readonly failed: Failure }

/** An error, as it is sent to another thread. */
export interface Failure {
  readonly code?: string
  readonly message: string
  readonly syscall?: string
  readonly path?: string
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: String(error) }
  const { code, message, syscall, path } = error as NodeJS.ErrnoException
  return { message, ...(code && { code }), ...(syscall && { syscall }), ...(path && { path }) }
}

export interface LostNotice {
  readonly claim: string
  readonly reason: string
}
