import { chownSync, existsSync, readFileSync } from 'node:fs'
import { asOtherUser, eventually, freshDir, isAlive, isRoot, otherUser, startChild } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { type DetachedLaunch, launchDetached } from '../../dist/detached/launch.js'
import { GuardianLaunchError } from '../../dist/errors.js'

const LAUNCH = {
  program: '../guardian/main.js',
  remedyInBundle: '',
  setup: {},
  env: {},
  Failure: GuardianLaunchError,
} as const

/** Time for a shell to start on a busy machine. */
const SILENT_MS = 10_000

/** As a Node that has not got one of its threads: it says nothing, and does not end. */
function silentOne(): { readonly options: DetachedLaunch; started(): Promise<number> } {
  const dir = freshDir()
  const pidFile = `${dir}/pid`
  const pidIn = (): number => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0)
  onTestFinished(() => {
    if (isAlive(pidIn())) process.kill(pidIn(), 'SIGKILL')
  })
  return {
    options: {
      ...LAUNCH,
      serverLog: `${dir}/server.log`,
      command: ['/bin/sh', '-c', 'echo $$ > "$0"; exec sleep 600', pidFile],
      timeoutMs: SILENT_MS,
    },
    started: () => eventually('it runs', () => pidIn() || undefined),
  }
}

test.runIf(process.platform === 'linux')('what says nothing in time is not left behind', async () => {
  const silent = silentOne()
  const launched = launchDetached(silent.options)
  const refused = expect(launched).rejects.toMatchObject({
    message: expect.stringContaining(`said nothing for ${SILENT_MS / 1000} s`),
  })
  const pid = await silent.started()
  await refused
  await eventually('it has ended', () => !isAlive(pid))
})

test.runIf(process.platform === 'linux')(
  'what is no longer waited for may still come up, but only as long as it would have been waited for',
  async () => {
    const silent = silentOne()
    const over = new AbortController()
    const launched = launchDetached({ ...silent.options, signal: over.signal })
    const refused = expect(launched).rejects.toThrow('enough')
    const pid = await silent.started()
    over.abort(new Error('enough'))
    await refused
    expect(isAlive(pid)).toBe(true)
    await eventually('it has ended', () => !isAlive(pid))
  },
)

// A limit on processes does not count for root.
test.runIf(process.platform === 'linux' && isRoot())(
  'a launch for which no process is left says so, and what to do',
  async () => {
    const dir = freshDir({ mode: 0o755 })
    chownSync(dir, otherUser.uid, otherUser.gid)
    const program = new URL('../children/launch-without-processes.mjs', import.meta.url)
    const child = startChild(program, { ...asOtherUser(), args: [dir] })
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await child.exited
    })
    expect(await child.event('refused')).toMatchObject({
      code: 'PROCREF_GUARDIAN_LAUNCH',
      message: expect.stringMatching(/no process is left for it \(EAGAIN\)\. End some programs.*ulimit -u/),
    })
  },
)
