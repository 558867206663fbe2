import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

let said = false

/**
 * The path of a Chromium on the PATH. `undefined` when there is none: said once, loudly, because the tests that need it then do not run.
 */
export function chromiumPath(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  const dirs = (process.env.PATH ?? '').split(delimiter).filter((dir) => dir !== '')
  const found = names.flatMap((name) => dirs.map((dir) => join(dir, name))).find(isExecutable)
  if (found === undefined) {
    if (!said) console.warn('NOT RUN: tests in a browser, because there is no chromium (Debian: apt install chromium)')
    said = true
  }
  return found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
