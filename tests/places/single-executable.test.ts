import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, linkSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { atEnd, type Child, makeTempDir, servantsOf, startProgram, surrealBinary, type TempDir } from '@procref/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connected, counted, killed, nothingIsLeft, serviceDir, stopped, wroteRow } from '../service/service.ts'
import { type Bundle, bundleInto, shipNativeCode } from './bundles.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** Of Node's documentation: what postject looks for in the executable. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

if (surrealBinary() === undefined) console.warn('NOT RUN without a surreal executable: single executables')

describe.runIf(surrealBinary() !== undefined)('a single executable', () => {
  let made: TempDir
  let bundle: Bundle
  let executable: string

  beforeAll(async () => {
    made = makeTempDir()
    bundle = await bundleInto(made.path, 'esbuild, CommonJS')
    shipNativeCode(made.path)
    executable = makeExecutable(made.path, bundle.app)
  })

  afterAll(async () => {
    await made[Symbol.asyncDispose]()
  })

  function startApp(dir: string, options: Readonly<Record<string, unknown>>, file = executable): Child {
    // Its count begins anew.
    writeFileSync(`${file}.starts`, '')
    return atEnd(startProgram(file, { args: [dir, JSON.stringify({ driver: 'binary', ...options })], cwd: '/' }))
  }

  /** How many processes of the application there have been. */
  function starts(file = executable): number {
    return readFileSync(`${file}.starts`, 'utf8').split('\n').length - 1
  }

  test('without a guardian file it is refused with the option that names one, and starts nothing', async () => {
    const dir = serviceDir()
    await expect(connected(startApp(dir, {}))).rejects.toThrow(/the option guardianProgram.*PROCREF_GUARDIAN_LAUNCH/s)
    expect(starts()).toBe(1)
    expect(servantsOf(dir)).toEqual([])
  })

  test('without a command for Node it is refused with the option that names one, and starts nothing', async () => {
    const dir = serviceDir()
    const client = startApp(dir, { guardianProgram: bundle.guardian })
    await expect(connected(client)).rejects.toThrow(
      /starts itself and not Node.*guardianCommand.*PROCREF_GUARDIAN_LAUNCH/s,
    )
    expect(starts()).toBe(1)
    expect(servantsOf(dir)).toEqual([])
  })

  test('with both it works, and no second process of it is ever started', async () => {
    const dir = serviceDir()
    const options = { guardianProgram: bundle.guardian, guardianCommand: [process.execPath] }
    const client = startApp(dir, options)
    const { guardianPid, port } = await connected(client)
    await wroteRow(client)
    process.kill(guardianPid, 'SIGKILL')
    expect(await client.event('reconnected')).toMatchObject({ epoch: 2 })
    expect(await counted(client)).toBe(1)
    await killed(client)
    await stopped(dir, port)
    await nothingIsLeft(dir)
    expect(starts()).toBe(1)
  })

  test('given itself as the command for Node, under another name, it starts no more than each attempt’s one process, which is refused', async () => {
    const dir = serviceDir()
    const other = `${executable}-too`
    linkSync(executable, other)
    writeFileSync(`${other}.starts`, '')
    const options = { guardianProgram: bundle.guardian, guardianCommand: [other] }
    await expect(connected(startApp(dir, options))).rejects.toThrow(
      /launched to be the guardian.*Set `guardianCommand` to something that runs Node.*PROCREF_GUARDIAN_LAUNCH/s,
    )
    // Three attempts; none of them has started anything itself.
    expect(starts(other)).toBe(3)
    expect(starts()).toBe(1)
    expect(servantsOf(dir)).toEqual([])
  })
})

/** As Node's documentation has it. */
function makeExecutable(folder: string, main: string): string {
  const blob = join(folder, 'app.blob')
  const config = join(folder, 'sea-config.json')
  const executable = join(folder, 'app')
  writeFileSync(config, JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true }))
  execFileSync(process.execPath, ['--experimental-sea-config', config], { stdio: 'ignore' })
  copyFileSync(process.execPath, executable)
  chmodSync(executable, 0o755)
  const postject = join(ROOT, 'node_modules/postject/dist/cli.js')
  execFileSync(process.execPath, [postject, executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE], {
    stdio: 'ignore',
  })
  return executable
}
