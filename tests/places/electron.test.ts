import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { atEnd, type Child, environment, freshDir, servantsOf, startProgram } from '@procref/testing'
import { describe, expect, test } from 'vitest'
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

const APP = resolve(import.meta.dirname, 'children/app.mjs')

interface Electron {
  readonly executable: string
  /** One a line: `app` or `node`, for each process that the executable was started as. */
  starts(): readonly string[]
}

/**
 * An executable that behaves as Electron's: it is the application, whatever its arguments are, unless `ELECTRON_RUN_AS_NODE` is set; then it
 * is Node. `runAsNode: false`: as with Electron's fuse of that name, which takes that away.
 */
function fakeElectron({ runAsNode = true }: { readonly runAsNode?: boolean } = {}): Electron {
  const folder = freshDir()
  const executable = join(folder, 'my-electron-app')
  const log = join(folder, 'starts')
  const shim = join(folder, 'shim.cjs')
  writeFileSync(log, '')
  writeFileSync(
    shim,
    `process.execPath = ${JSON.stringify(executable)}
    Object.defineProperty(process.versions, 'electron', { value: '39.0.0', enumerable: true })`,
  )
  const asNode = runAsNode ? '"$ELECTRON_RUN_AS_NODE" = 1' : '1 = 0'
  writeFileSync(
    executable,
    `#!/bin/sh
    if [ ${asNode} ]; then
      echo node >> ${log}
      exec ${process.execPath} --require ${shim} "$@"
    fi
    echo app >> ${log}
    exec ${process.execPath} --require ${shim} ${APP} "$@"
    `,
  )
  chmodSync(executable, 0o755)
  return { executable, starts: () => readFileSync(log, 'utf8').split('\n').slice(0, -1) }
}

describe.each(DRIVERS)('a client in Electron (%s)', (driver) => {
  function startApp({ executable }: Electron, dir: string, options: Readonly<Record<string, unknown>> = {}): Child {
    return atEnd(startProgram(executable, { args: [dir, JSON.stringify({ driver, ...options })], cwd: '/' }))
  }

  test('works: its executable is started as Node, with ELECTRON_RUN_AS_NODE, and never as the application', async () => {
    const dir = serviceDir()
    const electron = fakeElectron()
    const client = startApp(electron, dir)
    const { guardianPid, port } = await connected(client)
    expect(environment(guardianPid).ELECTRON_RUN_AS_NODE).toBe('1')
    expect(electron.starts()).toEqual(['app', 'node', 'node'])
    await wroteRow(client)
    process.kill(guardianPid, 'SIGKILL')
    expect(await client.event('reconnected')).toMatchObject({ epoch: 2 })
    expect(await counted(client)).toBe(1)
    expect(electron.starts()).toEqual(['app', 'node', 'node', 'node', 'node'])
    await killed(client)
    await stopped(dir, port)
    await nothingIsLeft(dir)
  })

  test('whose fuse takes ELECTRON_RUN_AS_NODE away: each attempt’s one process is refused, with the option that helps', async () => {
    const dir = serviceDir()
    const electron = fakeElectron({ runAsNode: false })
    await expect(connected(startApp(electron, dir))).rejects.toThrow(
      /launched to be the guardian.*Set `guardianCommand` to something that runs Node.*PROCREF_GUARDIAN_LAUNCH/s,
    )
    expect(electron.starts()).toEqual(['app', 'app', 'app', 'app'])
    expect(servantsOf(dir)).toEqual([])
    const client = startApp(electron, dir, { guardianCommand: [process.execPath] })
    await connected(client)
    expect(electron.starts()).toHaveLength(5)
  })
})
