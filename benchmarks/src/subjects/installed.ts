import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { messageIn } from '../actor/said-by.ts'
import type { Unavailable } from '../subject.ts'

const require = createRequire(import.meta.url)
const run = promisify(execFile)

/** Loads each of `libraries`, since one that has native code may be there and not work. */
export async function libraryMissing(libraries: readonly string[]): Promise<Unavailable | undefined> {
  const missing = libraries.filter((name) => entryOf(name) === undefined)
  if (missing.length > 0) {
    const reason = `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not installed`
    return { reason, remedy: `npm install ${libraries.join(' ')}` }
  }
  for (const name of libraries) {
    const why = await whyNotLoaded(name)
    if (why === undefined) continue
    return {
      reason: `${name} is installed but cannot be loaded: ${why}`,
      remedy: `npm rebuild ${name} (what is written in C needs a compiler, make and Python, and its install script allowed)`,
    }
  }
  return undefined
}

/** In a process of its own: proper-lockfile ends whoever has loaded it at the first SIGINT, once nobody else listens for that. */
async function whyNotLoaded(library: string): Promise<string | undefined> {
  try {
    await run(process.execPath, ['-e', `require(${JSON.stringify(entryOf(library))})`])
    return undefined
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    return messageIn(said)
  }
}

/** The version of a library that is installed. */
export function versionOf(library: string): string {
  const entry = entryOf(library)
  if (entry === undefined) throw new Error(`${library} is not installed`)
  // Not `require('library/package.json')`: a library that lists its exports need not list that.
  for (let dir = dirname(entry); dir !== dirname(dir); dir = dirname(dir)) {
    const path = join(dir, 'package.json')
    if (!existsSync(path)) continue
    const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string }
    if (name === library && version !== undefined) return version
  }
  throw new Error(`${entry} lies beneath no package.json of ${library}`)
}

function entryOf(library: string): string | undefined {
  try {
    return require.resolve(library)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
