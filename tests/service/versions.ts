import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { atEnd, type Child, freshDir, startChild } from '@procref/testing'
import { procrefOf } from './restarts.ts'
import type { Driver } from './service.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** Another version of procref, installed in a folder of its own: ours, built, with other numbers in it. */
export interface OtherVersion {
  readonly folder: string
  /** As `startClient`, with the code of that version: its client, and the guardians that it launches. */
  startClient(dir: string, options: Readonly<Record<string, unknown>>): Child
  /** The command of that version. */
  readonly procref: ReturnType<typeof procrefOf>
}

export function otherVersion(numbers: {
  readonly version: string
  readonly oldest: number
  readonly newest: number
}): OtherVersion {
  const folder = freshDir()
  const scope = `${folder}/node_modules/@procref`
  mkdirSync(scope, { recursive: true })
  mkdirSync(`${folder}/packages`)
  for (const name of readdirSync(`${ROOT}/node_modules/@procref`)) {
    if (name !== 'lifecycle') symlinkSync(realpathSync(`${ROOT}/node_modules/@procref/${name}`), `${scope}/${name}`)
  }
  copyPackage('lifecycle', `${scope}/lifecycle`)
  copyPackage('procref', `${folder}/packages/procref`)
  for (const [name, of] of [
    ['surrealdb', 'lifecycle'],
    ['ws', 'lifecycle'],
    ['commander', 'procref'],
    ['picocolors', 'procref'],
  ]) {
    symlinkSync(realpathSync(`${ROOT}/packages/${of}/node_modules/${name}`), `${folder}/node_modules/${name}`)
  }
  cpSync(`${ROOT}/tests/service/children`, `${folder}/tests/service/children`, { recursive: true })
  setConstant(`${scope}/lifecycle/dist/state/protocols.js`, 'OLDEST_PROTOCOL', numbers.oldest)
  setConstant(`${scope}/lifecycle/dist/state/protocols.js`, 'NEWEST_PROTOCOL', numbers.newest)
  setConstant(`${scope}/lifecycle/dist/version.js`, 'VERSION', numbers.version)
  return {
    folder,
    startClient: (dir, options) =>
      atEnd(
        startChild(`${folder}/tests/service/children/client.mjs`, {
          args: [dir, JSON.stringify({ lingerMs: 500, ...options })],
        }),
      ),
    procref: procrefOf(`${folder}/packages/procref/bin/procref.js`),
  }
}

/** As `clientsOf`, of another version. */
export function clientsOfVersion({ startClient }: OtherVersion, driver: Driver): (dir: string) => Child {
  return (dir) => startClient(dir, { driver })
}

function copyPackage(name: string, to: string): void {
  for (const part of ['package.json', 'dist', 'bin']) {
    try {
      cpSync(join(ROOT, 'packages', name, part), join(to, part), { recursive: true })
    } catch (error) {
      // A library has no commands.
      if (part !== 'bin' || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

function setConstant(path: string, name: string, value: string | number): void {
  const text = readFileSync(path, 'utf8')
  const line = new RegExp(`^export const ${name} = .*;$`, 'm')
  if (!line.test(text)) throw new Error(`${path} has no ${name}`)
  writeFileSync(
    path,
    text.replace(line, () => `export const ${name} = ${JSON.stringify(value)};`),
  )
}
