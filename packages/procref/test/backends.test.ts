import fs, { mkdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isNativeCodeHere } from '@procref/native'
import { atEnd, freshDir, isRoot, startChild, startProgram } from '@procref/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
// Not part of the public interface.
import { chooseBackend, resolveBackend } from '../dist/choose-backend.js'

const best = isNativeCodeHere() ? 'native' : 'flock'
const NO_ENV = {}

function pinned(pin: string): string {
  const dir = join(freshDir(), 'slots')
  mkdirSync(dir, { mode: 0o700 })
  writeFileSync(join(dir, 'protocol.json'), pin)
  return dir
}

test('nobody asked, nobody has used the directory: the native backend, where its code is here, else flock', async () => {
  expect((await resolveBackend(undefined, join(freshDir(), 'slots'), NO_ENV)).name).toBe(best)
})

test('a name wins over the environment, and that over the best', async () => {
  const dir = join(freshDir(), 'slots')
  expect((await resolveBackend('flock', dir, { PROCREF_BACKEND: 'native' })).name).toBe('flock')
  expect((await resolveBackend(undefined, dir, { PROCREF_BACKEND: 'flock' })).name).toBe('flock')
})

test('a name that this version does not know is refused, and those that it knows are listed', async () => {
  await expect(resolveBackend('semaphore', freshDir(), NO_ENV)).rejects.toMatchObject({
    code: 'PROCREF_UNKNOWN_BACKEND',
    message: expect.stringContaining('native, flock'),
  })
})

test.each(['ofd-range', 'sysv', 'robust-mutex', 'hybrid'])(
  'a directory that is pinned to %s is used with it, unasked',
  async (protocol) => {
    const dir = pinned(JSON.stringify({ format: 1, protocol, slots: 3 }))
    expect((await resolveBackend(undefined, dir, NO_ENV)).name).toBe(protocol)
  },
)

test('a pin that the disk does not give this time is an error, and none that speaks another protocol is chosen', async () => {
  const dir = pinned(JSON.stringify({ format: 1, protocol: 'sysv', slots: 3 }))
  const once = vi.spyOn(fs, 'openSync').mockImplementationOnce((path) => {
    throw Object.assign(new Error('i/o error'), { code: 'EIO', path })
  })
  onTestFinished(() => once.mockRestore())
  await expect(resolveBackend(undefined, dir, NO_ENV)).rejects.toMatchObject({ code: 'PROCREF_IO_ERROR' })
  expect((await resolveBackend(undefined, dir, NO_ENV)).name).toBe('sysv')
})

test.each([
  ['a protocol of a later version', '{"format":1,"protocol":"telepathy","slots":3}'],
  ['no JSON', 'rubbish'],
])('a directory whose pin names %s is left to be refused by open()', async (_what, pin) => {
  const dir = pinned(pin)
  const backend = await resolveBackend(undefined, dir, NO_ENV)
  await expect(backend.open(dir)).rejects.toMatchObject({ code: expect.stringMatching(/^PROCREF_PROTOCOL_/) })
})

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))
/** The program believes to be on a machine for which there is no native code. */
const NO_NATIVE = `--import=data:text/javascript,Object.defineProperty(process,'arch',{value:'mips'})`

async function withoutNative(...args: readonly string[]) {
  const child = atEnd(startProgram(process.execPath, { args: [NO_NATIVE, PROCREF, ...args] }))
  await child.exited
  return { stdout: child.stdout(), stderr: child.stderr() }
}

test('each choice has its reason', async () => {
  const slotsDir = join(freshDir(), 'slots')
  const asked = await chooseBackend({ name: 'flock', slotsDir, env: NO_ENV })
  const environment = await chooseBackend({ slotsDir, env: { PROCREF_BACKEND: 'sysv' } })
  const best = await chooseBackend({ slotsDir, env: NO_ENV })
  expect([asked.reason, environment.reason, best.reason]).toEqual([
    'flock: it was asked for',
    'sysv: $PROCREF_BACKEND asks for it',
    expect.stringContaining('works here'),
  ])
})

test('a fallback is announced on stderr with its reason, once, and `status` can be asked for it', async () => {
  const dir = freshDir()
  const { stdout, stderr } = await withoutNative('slot', 'try', '--dir', dir, '--json')
  expect(JSON.parse(stdout)).toMatchObject({ backend: 'flock' })
  expect(stderr.match(/the backend flock is used/g)).toHaveLength(1)
  expect(stderr).toMatch(/PROCREF_BACKEND=flock.*\n +not native: .*native code/s)
  const status = JSON.parse((await withoutNative('status', '--dir', dir, '--json')).stdout)
  expect(status.backend).toMatchObject({ name: 'flock', rejected: [{ name: 'native' }] })
})

test('the status names the file system, and what being in a container means for the backend', async () => {
  const dir = freshDir()
  const namespaces = ['--pid', '--ipc', '--fork', '--mount-proc']
  const inside = atEnd(
    startProgram('unshare', {
      args: [...namespaces, process.execPath, PROCREF, 'status', '--dir', dir, '--backend', 'sysv'],
    }),
  )
  await inside.exited
  if (inside.stderr().includes('Operation not permitted')) return expect(isRoot()).toBe(false)
  expect(inside.stdout()).toMatch(/backend sysv: it was asked for \(linux \w+, .+, in a container .*same ipc namespace/)
  if (readlinkSync('/proc/self/ns/pid') !== 'pid:[4026531836]') return
  const outside = atEnd(startProgram(process.execPath, { args: [PROCREF, 'status', '--dir', dir] }))
  await outside.exited
  expect(outside.stdout()).not.toContain('in a container')
})

test('whoever chose it on purpose is not warned', async () => {
  const { stderr } = await withoutNative('slot', 'try', '--dir', freshDir(), '--backend', 'flock')
  expect(stderr).toBe('')
})

test('a directory on an unsafe file system is refused with that reason, whichever backend is asked in the end', async () => {
  const backend = await resolveBackend(undefined, '/proc/self/slots', NO_ENV)
  await expect(backend.open('/proc/self/slots')).rejects.toMatchObject({ code: expect.stringMatching(/^PROCREF_/) })
})

test.runIf(process.platform === 'linux')(
  'with too few descriptors nothing is chosen for a directory that nobody has used, or what would be chosen with enough',
  async () => {
    const answers: unknown[] = []
    for (let spare = 0; spare <= 8; spare++) {
      const program = new URL('./children/choose-backend.mjs', import.meta.url)
      const child = atEnd(startChild(program, { args: [freshDir(), String(spare)] }))
      const { chosen, code } = await child.event<{ chosen?: string; code?: string }>('answer')
      await child.exited
      answers.push(chosen ?? code)
    }
    // From some number on they are enough.
    const enough = answers.indexOf(best)
    expect(enough).toBeGreaterThan(0)
    expect(answers.slice(enough)).toEqual(answers.slice(enough).map(() => best))
    expect(answers.slice(0, enough)).toEqual(answers.slice(0, enough).map(() => 'PROCREF_TOO_MANY_OPEN_FILES'))
  },
)
