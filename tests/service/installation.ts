import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { freshDir } from '@procref/testing'

const ROOT = resolve(import.meta.dirname, '../..')

/** procref as it is built here, in a folder of its own, to be changed without changing anybody else's. */
export interface Installation {
  readonly folder: string
  /** The path of the tests' client program, which runs on this installation and launches this one's guardians. */
  readonly client: string
  /** The path of the command `procref`. */
  readonly procref: string
  /**
   * Puts `by` in the place of `text` in a compiled file of a package. Throws, and changes nothing, unless it is there exactly once: a change that
   * is not made, or is made elsewhere too, would go unnoticed.
   */
  replace(change: Replacement): void
}

export interface Replacement {
  /** The folder's name in `packages`. */
  readonly package: string
  /** The path in the package. */
  readonly file: string
  readonly text: string | RegExp
  readonly by: string
}

/** Five starts within ten minutes are too many, not within one. */
export const CRASH_LOOP_OF_TEN_MINUTES: Replacement = {
  package: 'lifecycle',
  file: 'dist/client/shared-service.js',
  text: 'withinMs: 60_000',
  by: 'withinMs: 600_000',
}

/**
 * Copies every package, and the programs in the folder `children` of the repository, which then find the copy. Removed when the test ends.
 *
 * Guarantee: client, launcher, guardian, keeper, command, backends and drivers are all the copy's: each of its packages finds only those beside
 * it. What is not ours (the SDK, the engine, native code) is where it was, by links.
 */
export function copyOfInstallation(children: string): Installation {
  const folder = freshDir()
  const scope = join(folder, 'node_modules/@procref')
  mkdirSync(scope, { recursive: true })
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    copyPackage(name, join(folder, 'packages', name))
    symlinkSync(join('../../packages', name), join(scope, name))
  }
  symlinkSync('../packages/procref', join(folder, 'node_modules/procref'))
  cpSync(join(ROOT, children), join(folder, children), { recursive: true })
  return {
    folder,
    client: join(folder, children, 'client.mjs'),
    procref: join(folder, 'packages/procref/bin/procref.js'),
    replace: (change) => replaceIn(join(folder, 'packages', change.package, change.file), change),
  }
}

/** What runs, without what only debuggers and compilers read. */
function copyPackage(name: string, to: string): void {
  const from = join(ROOT, 'packages', name)
  for (const part of ['package.json', 'dist', 'bin']) {
    // Only the package `procref` has commands.
    if (part === 'bin' && !existsSync(join(from, part))) continue
    cpSync(join(from, part), join(to, part), {
      recursive: true,
      filter: (path) => !/\.(map|d\.ts|tsbuildinfo)$/.test(path),
    })
  }
  for (const file of readdirSync(from).filter((entry) => entry.endsWith('.node'))) {
    symlinkSync(join(from, file), join(to, file))
  }
  for (const dependency of foreignDependencies(from)) {
    const there = join(from, 'node_modules', dependency)
    // An optional one that cannot be had on this machine.
    if (!existsSync(there)) continue
    const here = join(to, 'node_modules', dependency)
    mkdirSync(dirname(here), { recursive: true })
    symlinkSync(realpathSync(there), here)
  }
}

/** What a package needs of others' when it runs. */
function foreignDependencies(folder: string): readonly string[] {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Partial<Record<'dependencies' | 'optionalDependencies', Record<string, string>>>
  const all = Object.entries({ ...dependencies, ...optionalDependencies })
  return all.flatMap(([name, version]) => (version.startsWith('workspace:') ? [] : [name]))
}

function replaceIn(path: string, { package: name, file, text, by }: Replacement): void {
  const before = readFileSync(path, 'utf8')
  const pattern = typeof text === 'string' ? text : new RegExp(text.source, `${text.flags.replace('g', '')}g`)
  const count = typeof pattern === 'string' ? before.split(pattern).length - 1 : [...before.matchAll(pattern)].length
  if (count !== 1) {
    throw new Error(`packages/${name}/${file}: what is to be replaced is there ${count} times, not once: ${text}`)
  }
  // A function, because of what a `$` in a replacement means.
  writeFileSync(
    path,
    before.replace(text, () => by),
  )
}
