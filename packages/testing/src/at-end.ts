import { makeTempDir } from '@procref/conformance/harness'
import { onTestFinished } from 'vitest'

/** Disposes `thing` when the test ends, however it ends: last made, first disposed. For tests where `await using` does not fit. */
export function atEnd<T extends AsyncDisposable>(thing: T): T {
  onTestFinished(async () => {
    await thing[Symbol.asyncDispose]()
  })
  return thing
}

/** The path of a fresh directory that is removed when the test ends. */
export function freshDir(options: { readonly mode?: number } = {}): string {
  return atEnd(makeTempDir(options)).path
}
