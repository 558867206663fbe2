import { accessSync, constants } from 'node:fs'

let said = false

/**
 * The SurrealDB executable that tests may start, from `PROCREF_SURREAL_BIN`; nothing else is looked at. `undefined` when it is
 * not set: said once, loudly, because the tests that need it then do not run.
 */
export function surrealBinary(): string | undefined {
  const path = process.env.PROCREF_SURREAL_BIN
  if (path === undefined || path === '') {
    if (!said) console.warn('NOT RUN: tests on a real SurrealDB server, because PROCREF_SURREAL_BIN is not set')
    said = true
    return undefined
  }
  accessSync(path, constants.X_OK)
  return path
}
