import { chmodSync, writeFileSync } from 'node:fs'
import { commandLine, environment, eventually, freshDir, isAlive, whoHasOpen } from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CommandOptions, command } from '../../dist/drivers/command.js'
import { hostOf } from './driver-suite.ts'

/** A web server in one line of JavaScript, on the port that follows it. */
const WEB_SERVER =
  "require('http').createServer((_, r) => r.end()).listen(process.argv[1], '127.0.0.1', () => console.log('up'))"

const node = process.execPath

describe('command(): any other server', () => {
  test.each([{ kind: 'tcp' }, { kind: 'http', path: '/' }, { kind: 'logLine', pattern: '^up$' }] as const)(
    'is launched, awaited by $kind and stopped',
    async (ready) => {
      const host = await hostOf(command({ file: node, args: ['-e', WEB_SERVER, '{port}'], ready }))
      const { pid } = await host.start()
      expect(commandLine(pid)).toEqual([node, '-e', WEB_SERVER, String(host.port)])
      host.child.send('terminate')
      expect(await host.child.event('ended')).toMatchObject({ code: null, signal: 'SIGTERM' })
    },
  )

  test('fills in where it is, and credentials into its environment only', async () => {
    const places = ['{host}:{port}', '{dir}|{databaseDir}', '{"json":{"port":1},"other":"{unknown}"}']
    const env = { LOGIN: '{user}:{password}@{host}' }
    const options: CommandOptions = {
      file: node,
      args: ['-e', WEB_SERVER, '{port}', ...places],
      env,
      ready: { kind: 'tcp' },
    }
    const host = await hostOf(command(options))
    const { pid } = await host.start()
    expect(commandLine(pid).slice(4)).toEqual([
      `127.0.0.1:${host.port}`,
      `${host.dir}|${host.databaseDir}`,
      '{"json":{"port":1},"other":"{unknown}"}',
    ])
    expect(environment(pid).LOGIN).toBe(`${host.user}:${host.password}@127.0.0.1`)
  })

  test('runs in the root directory, or where it is told to', async () => {
    const cwd = freshDir()
    const args = ['-e', `console.log('in ' + process.cwd()); ${WEB_SERVER}`, '{port}']
    for (const [options, place] of [
      [{}, '/'],
      [{ cwd }, cwd],
    ] as const) {
      const host = await hostOf(
        command({ file: node, args, ready: { kind: 'logLine', pattern: `^in ${place}$` }, ...options }),
      )
      await host.start()
    }
  })

  test('workers that outlive their server are ended with it, so that the lock is free', async () => {
    const script = `sleep 600 & exec ${node} -e "$0" "$1"`
    const host = await hostOf(
      command({ file: '/bin/sh', args: ['-c', script, WEB_SERVER, '{port}'], ready: { kind: 'tcp' } }),
    )
    const { pid } = await host.start()
    const lock = `${host.dir}/server.lock`
    expect(whoHasOpen(lock).length).toBeGreaterThanOrEqual(2)
    process.kill(pid, 'SIGKILL')
    await host.child.event('ended')
    host.child.end()
    await host.child.exited
    await eventually('nobody has the lock', () => whoHasOpen(lock).length === 0)
    expect(isAlive(pid)).toBe(false)
  })

  test('an end before it is ready is told at once, with its exit code', async () => {
    const host = await hostOf(command({ file: '/bin/sh', args: ['-c', 'exit 5'], ready: { kind: 'tcp' } }))
    await expect(host.start()).rejects.toThrow(/^PROCREF_SERVER_EXITED: .*exit code 5/)
  })

  test('a program that is not in PATH is a typed error, before anything is started', async () => {
    const driver = command({ file: 'no-such-server', ready: { kind: 'tcp' } })
    await expect(driver.check?.()).rejects.toMatchObject({ code: 'PROCREF_EXECUTABLE_NOT_FOUND' })
    const host = await hostOf(driver)
    await expect(host.launch()).rejects.toThrow(/^PROCREF_EXECUTABLE_NOT_FOUND: .*no-such-server.*PATH/)
  })

  test('a program that is in PATH is found there', async () => {
    const dir = freshDir()
    writeFileSync(`${dir}/my-server`, '')
    chmodSync(`${dir}/my-server`, 0o755)
    const before = process.env.PATH
    process.env.PATH = `${dir}:${before}`
    onTestFinished(() => {
      process.env.PATH = before
    })
    await command({ file: 'my-server', ready: { kind: 'tcp' } }).check?.()
  })
})

describe('options of command()', () => {
  const ready = { kind: 'tcp' } as const

  test.each([
    [
      'credentials in arguments',
      { file: 'x', args: ['--pass={password}'], ready },
      /every user can read --pass=\{password\}/,
    ],
    ['a relative path', { file: './x', ready }, /depends on a working directory/],
    ['a relative working directory', { file: 'x', cwd: 'here', ready }, /not an absolute path/],
    ['an unknown way to wait', { file: 'x', ready: { kind: 'luck' } as never }, /luck/],
  ])('%s is a TypeError that says why', (_what, options, message) => {
    expect(() => command(options)).toThrow(TypeError)
    expect(() => command(options)).toThrow(message)
  })

  test('constructing one touches nothing, and its descriptor is JSON that makes the same one', async () => {
    const options = { file: '/nowhere', args: ['{port}'], env: { A: '{user}' }, ready, durable: false }
    const driver = command(options)
    const { module, factory, options: json } = JSON.parse(JSON.stringify(driver.descriptor))
    const again = (await import(module))[factory](json)
    expect(again.descriptor).toEqual(driver.descriptor)
    expect(again.settings).toEqual({ file: '/nowhere', args: ['{port}'] })
    expect(again.durable).toBe(false)
  })
})
