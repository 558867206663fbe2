import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  atEnd,
  type Child,
  eventually,
  freshDir,
  isAlive,
  lockUsers,
  makeTempDir,
  servantsOf,
  startChild,
  type TempDir,
} from '@procref/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  connected,
  counted,
  DRIVERS,
  killed,
  nothingIsLeft,
  serviceDir,
  stopped,
  wroteRow,
} from '../service/service.ts'
import { BUNDLERS, type Bundle, type Bundler, bundleBeside, bundleInto, shipEngine, shipNativeCode } from './bundles.ts'

function startApp(app: string, dir: string, options: Readonly<Record<string, unknown>> = {}): Child {
  return atEnd(startChild(app, { args: [dir, JSON.stringify(options)], cwd: '/' }))
}

/** server.log is made before the first process is. */
function expectNothingWasStarted(dir: string): void {
  expect(existsSync(`${dir}/server.log`)).toBe(false)
  expect(servantsOf(dir)).toEqual([])
  expect(lockUsers(dir)).toEqual([])
}

describe.each(BUNDLERS)('a program that is one bundle, in a folder without packages (%s)', (bundler: Bundler) => {
  let made: TempDir
  let bundle: Bundle

  beforeAll(async () => {
    made = makeTempDir()
    bundle = await bundleInto(made.path, bundler)
  })

  afterAll(async () => {
    await made[Symbol.asyncDispose]()
  })

  /** A copy of the bundle in a folder of its own; with the files that are no JavaScript, as they would be shipped. */
  function placed({ native = true }: { readonly native?: boolean } = {}): Bundle {
    const folder = freshDir()
    cpSync(made.path, folder, { recursive: true })
    if (native) shipNativeCode(folder)
    shipEngine(folder)
    const moved = (file: string): string => file.replace(made.path, folder)
    return { app: moved(bundle.app), guardian: moved(bundle.guardian) }
  }

  test('without native code beside it: refused with what to copy where, and nothing is started', async () => {
    const { app, guardian } = placed({ native: false })
    const dir = serviceDir()
    await expect(connected(startApp(app, dir, { backend: 'native', guardianProgram: guardian }))).rejects.toThrow(
      /Copy procref-native\.[a-z0-9-]+\.node .* beside the bundle.*PROCREF_BACKEND_UNAVAILABLE/s,
    )
    expectNothingWasStarted(dir)
    await expect(connected(startApp(app, dir, { backend: 'lockfile', guardianProgram: guardian }))).rejects.toThrow(
      /Keep the package out of the bundle.*use native\(\).*PROCREF_HEART_UNAVAILABLE/s,
    )
    expectNothingWasStarted(dir)
  })

  test('without a guardian file: refused with the option that names one, and nothing is started', async () => {
    const { app } = placed()
    // An application has files with such names, too, which must not be taken for ours.
    for (const name of ['main.js', 'launcher.js', 'index.js']) {
      writeFileSync(join(app, '..', name), "throw new Error('the application was started as a guardian')")
    }
    const dir = serviceDir()
    await expect(connected(startApp(app, dir, { driver: 'embedded' }))).rejects.toThrow(
      /guardian\(\) of @procref\/lifecycle\/guardian.*the option guardianProgram.*PROCREF_GUARDIAN_LAUNCH/s,
    )
    expectNothingWasStarted(dir)
  })

  test('with a guardian file that is not there: refused with its path, and nothing is started', async () => {
    const { app, guardian } = placed()
    const dir = serviceDir()
    const client = startApp(app, dir, { driver: 'embedded', guardianProgram: `${guardian}.gone` })
    await expect(connected(client)).rejects.toThrow(/guardian\.[cm]js\.gone is missing.*PROCREF_GUARDIAN_LAUNCH/s)
    expectNothingWasStarted(dir)
  })

  test.each(DRIVERS)(
    'with a guardian file: works (%s), also after the guardian was killed, and ends with its last client',
    async (driver) => {
      const { app, guardian } = placed()
      const dir = serviceDir()
      const client = startApp(app, dir, { driver, guardianProgram: guardian })
      const { guardianPid, port } = await connected(client)
      await wroteRow(client)
      process.kill(guardianPid, 'SIGKILL')
      expect(await client.event('reconnected')).toMatchObject({ epoch: 2, port })
      expect(await counted(client)).toBe(1)
      await killed(client)
      await stopped(dir, port)
      await nothingIsLeft(dir)
    },
  )

  test('its server is shared with programs that are not bundled, which bring it back', async () => {
    const { app, guardian } = placed()
    const dir = serviceDir()
    const bundled = startApp(app, dir, { driver: 'embedded', guardianProgram: guardian })
    const { guardianPid } = await connected(bundled)
    await wroteRow(bundled)
    const other = startApp(join(import.meta.dirname, 'children/app.mjs'), dir)
    await connected(other)
    await killed(bundled)
    process.kill(guardianPid, 'SIGKILL')
    expect(await other.event('reconnected')).toMatchObject({ epoch: 2 })
    expect(await counted(other)).toBe(1)
  })

  test('its guardian file, started by hand, says what it is for and ends', async () => {
    const child = atEnd(startChild(placed().guardian, { env: { PROCREF_GUARDIAN: undefined } }))
    expect(await child.exited).toEqual({ code: 2, signal: null })
    expect(child.stderr()).toMatch(/guardianProgram/)
  })
})

test('a bundle whose packages are left out of it, and installed, needs no guardian file', async () => {
  const folder = freshDir()
  const dir = serviceDir()
  const client = startApp(await bundleBeside(folder), dir, { driver: 'embedded' })
  const { guardianPid, port } = await connected(client)
  await wroteRow(client)
  await killed(client)
  await stopped(dir, port)
  await eventually('its guardian has ended', () => !isAlive(guardianPid))
})
