import { atEnd, type Child, startChild } from '@procref/testing'
import { copyOfInstallation, type Installation } from './installation.ts'
import { procrefOf } from './restarts.ts'
import type { Driver } from './service.ts'

/** Another version of procref, installed in a folder of its own: ours, built, with other numbers in it. */
export interface OtherVersion {
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
  const installation = copyOfInstallation('tests/service/children')
  setConstant(installation, 'dist/state/protocols.js', 'OLDEST_PROTOCOL', numbers.oldest)
  setConstant(installation, 'dist/state/protocols.js', 'NEWEST_PROTOCOL', numbers.newest)
  setConstant(installation, 'dist/version.js', 'VERSION', numbers.version)
  return {
    startClient: clientsOfInstallation(installation),
    procref: procrefOf(installation.procref),
  }
}

/** As `startClient`, of another installation. */
export function clientsOfInstallation({ client }: Installation): OtherVersion['startClient'] {
  return (dir, options) => atEnd(startChild(client, { args: [dir, JSON.stringify({ lingerMs: 500, ...options })] }))
}

/** As `clientsOf`, of another version. */
export function clientsOfVersion({ startClient }: OtherVersion, driver: Driver): (dir: string) => Child {
  return (dir) => startClient(dir, { driver })
}

function setConstant(installation: Installation, file: string, name: string, value: string | number): void {
  installation.replace({
    package: 'lifecycle',
    file,
    text: new RegExp(`^export const ${name} = .*;$`, 'm'),
    by: `export const ${name} = ${JSON.stringify(value)};`,
  })
}
