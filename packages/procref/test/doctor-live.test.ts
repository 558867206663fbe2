import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { flock } from '@procref/flock'
import { isNativeCodeHere } from '@procref/native'
import {
  atEnd,
  type Child,
  eventually,
  freeze,
  freshDir,
  isAlive,
  isRoot,
  mountTmpfs,
  startProgram,
  surrealBinary,
} from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { killTogether } from '../../../tests/service/service.ts'
import type { DoctorReport } from '../dist/commands/doctor.js'
import {
  alarms,
  dataOf,
  doctor,
  doctorCommand,
  ELSEWHERE,
  finish,
  keepUp,
  makeService,
  procref,
  ROWS,
  readRows,
  servedDir,
  serviceDir,
  slotsOnlyDir,
  useElsewhere,
} from './doctor-directory.ts'

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))
const NONCE = 'd'.repeat(32)

const HOLD = `
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
`

/** Another program that holds the lock of a file. */
async function holdLock(path: string, env: Readonly<Record<string, string>> = {}): Promise<Child> {
  const child = atEnd(startProgram('python3', { args: ['-c', HOLD, path], env }))
  expect(await child.line()).toBe('held')
  return child
}

function findingOf(report: DoctorReport, code: string) {
  return report.findings.find((finding) => finding.code === code) ?? expect.unreachable(code)
}

function epochOf(dir: string): unknown {
  return JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8')).epoch
}

describe('while a guardian lives', () => {
  test('what could disturb it is left, and called busy; a mode is mended under it', async () => {
    const dir = serviceDir()
    await keepUp(dir)
    const leftover = join(dir, `alive-${NONCE}.lock`)
    // One that nobody has used: the keeper has any of the hundred.
    const [slot = ''] = ['slot_98.lock', 'slot_99.lock']
      .map((name) => join(dir, 'slots', name))
      .filter((path) => !existsSync(path))
    writeFileSync(leftover, '', { mode: 0o600 })
    writeFileSync(slot, '', { mode: 0o644, flag: 'wx' })
    const report = await doctor(dir, { fix: true })
    expect(report.mended).toMatchObject([{ check: 'slots', code: 'mode', paths: [slot] }])
    expect(report.left).toMatchObject([
      { check: 'leftovers', code: 'alive-file', paths: [leftover], reason: expect.stringMatching(/^busy/) },
    ])
    expect(existsSync(leftover)).toBe(true)
    expect(epochOf(dir)).toBe(1)
    expect(report.checks.find(({ id }) => id === 'port')?.found).toContain('proven')
  })

  test('one that stands still is named, with what lets it go on; so is the lock that was deleted under it', async () => {
    const dir = serviceDir()
    const { guardianPid } = await keepUp(dir)
    await freeze(guardianPid)
    const report = await doctor(dir)
    expect(await alarms(report)).toEqual(['guardian/guardian-stopped'])
    expect(report.healthy).toBe(false)
    expect(findingOf(report, 'guardian-stopped').remedy).toContain(`kill -CONT ${guardianPid}`)
    unlinkSync(join(dir, 'guardian.lock'))
    expect(await alarms(await doctor(dir))).toEqual(['guardian/guardian-lock-lost', 'guardian/guardian-stopped'])
    process.kill(guardianPid, 'SIGCONT')
    await eventually('it has left', () => !isAlive(guardianPid))
  })

  test('an alive lock that was deleted under it is found, and --fix takes nothing from it', async () => {
    const dir = serviceDir()
    const { guardianPid } = await keepUp(dir)
    await freeze(guardianPid)
    unlinkSync(join(dir, `alive-${nonceOf(dir)}.lock`))
    const report = await doctor(dir, { fix: true })
    expect(await alarms(report)).toEqual(['guardian/alive-lock-lost', 'leftovers/temporary-file'])
    // Its spare files look like those of a dead one, and guardian.lock keeps them.
    expect(report.left).toMatchObject([{ code: 'temporary-file', reason: expect.stringMatching(/^busy/) }])
    process.kill(guardianPid, 'SIGCONT')
    await eventually('it has its lock anew', () => isHeld(join(dir, `alive-${nonceOf(dir)}.lock`)))
    expect(await alarms(await doctor(dir))).toEqual([])
  })

  test('a server.json that was deleted under it is found', async () => {
    const dir = serviceDir()
    const { guardianPid } = await keepUp(dir)
    await freeze(guardianPid)
    unlinkSync(join(dir, 'server.json'))
    expect(await alarms(await doctor(dir))).toContain('guardian/guardian-not-recorded')
    process.kill(guardianPid, 'SIGCONT')
    await eventually('it is written again', () => existsSync(join(dir, 'server.json')))
  })

  test('two alive locks are two guardians', async () => {
    const dir = serviceDir()
    await keepUp(dir)
    const second = await holdLock(join(dir, `alive-${NONCE}.lock`))
    const report = await doctor(dir)
    expect(await alarms(report)).toEqual(['guardian/two-guardians'])
    second.end()
    await second.exited
  })

  test.runIf(surrealBinary() !== undefined)('a server that stands still is named', async () => {
    const dir = serviceDir()
    const { serverPid } = await keepUp(dir)
    await freeze(serverPid)
    const report = await doctor(dir)
    expect(await alarms(report)).toEqual(['server/server-unresponsive'])
    expect(findingOf(report, 'server-unresponsive').remedy).toContain(`kill -CONT ${serverPid}`)
    process.kill(serverPid, 'SIGCONT')
  })

  test.runIf(isRoot())('from another container it is not taken for dead, and nothing is mended there', async () => {
    const dir = serviceDir()
    await keepUp(dir)
    writeFileSync(join(dir, `alive-${NONCE}.lock`), '', { mode: 0o600 })
    const args = [
      '--fork',
      '--pid',
      '--mount-proc',
      process.execPath,
      PROCREF,
      'doctor',
      '--dir',
      dir,
      '--json',
      '--fix',
    ]
    const inside = atEnd(startProgram('unshare', { args }))
    await inside.exited
    const report = JSON.parse(inside.stdout()) as DoctorReport
    expect(await alarms(report)).toEqual([
      'guardian/guardian-elsewhere',
      'holders/holder-not-seen',
      'leftovers/alive-file',
    ])
    expect(report.mended).toEqual([])
    expect(existsSync(join(dir, `alive-${NONCE}.lock`))).toBe(true)
  })
})

describe('while no guardian lives', () => {
  test('a stranger that holds server.lock is named, and left alone', async () => {
    const dir = await servedDir()
    const stranger = await holdLock(join(dir, 'data', 'server.lock'))
    const data = dataOf(dir)
    const report = await doctor(dir, { fix: true })
    expect(await alarms(report)).toEqual(['server/server-lock-held'])
    expect(report.healthy).toBe(false)
    expect(findingOf(report, 'server-lock-held').found).toContain(`process ${stranger.pid}`)
    expect(isAlive(stranger.pid)).toBe(true)
    stranger.end()
    await stranger.exited
    expect(dataOf(dir)).toBe(data)
    expect(await readRows(dir)).toEqual(ROWS)
  })

  test('an orphan is told by its nonce, and left to the next connect(), which ends it', async () => {
    const dir = await servedDir()
    const orphan = await holdLock(join(dir, 'data', 'server.lock'), { PROCREF_INSTANCE: nonceOf(dir) })
    const report = await doctor(dir, { fix: true })
    expect(await alarms(report)).toEqual(['server/orphan-server'])
    expect(findingOf(report, 'orphan-server')).toMatchObject({
      severity: 'warning',
      found: expect.stringContaining(`${orphan.pid}`),
    })
    expect(isAlive(orphan.pid)).toBe(true)
    expect(await readRows(dir)).toEqual(ROWS)
    expect((await orphan.exited).signal).toBe('SIGKILL')
  })

  test('who is about to become guardian is not raced: --fix says busy', async () => {
    const dir = await servedDir()
    const leftover = join(dir, `alive-${NONCE}.lock`)
    writeFileSync(leftover, '', { mode: 0o600 })
    const starting = await holdLock(join(dir, 'guardian.lock'))
    expect((await doctor(dir, { fix: true })).left).toMatchObject([{ reason: expect.stringMatching(/^busy/) }])
    expect(existsSync(leftover)).toBe(true)
    starting.end()
    await starting.exited
    expect((await doctor(dir, { fix: true })).mended).toMatchObject([{ paths: [leftover] }])
    expect(existsSync(leftover)).toBe(false)
  })

  test('a port that was asked for and is taken is a problem', async () => {
    const dir = await servedDir()
    const stranger = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void stranger.close())
    const address = stranger.address()
    if (address === null || typeof address === 'string') return expect.unreachable()
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ port: address.port }), { mode: 0o600 })
    const report = await doctor(dir)
    expect(await alarms(report)).toEqual(['port/demanded-port-taken'])
    expect(findingOf(report, 'demanded-port-taken').found).toContain(`process ${process.pid}`)
  })

  test('a slot that is held by nobody who can be seen is explained', async () => {
    const dir = await slotsOnlyDir()
    const slot = join(dir, 'slots', 'slot_42.lock')
    // Beyond any pid that Linux gives out.
    writeFileSync(slot, '99999999\n', { mode: 0o600 })
    await holdLock(slot)
    const report = await doctor(dir)
    expect(await alarms(report)).toEqual(['holders/holder-not-seen'])
    expect(findingOf(report, 'holder-not-seen').found).toContain('process 99999999')
  })

  test('a holder of the original program is found without making protocol.json', async () => {
    const dir = serviceDir()
    mkdirSync(join(dir, 'slots'), { recursive: true, mode: 0o700 })
    const slot = join(dir, 'slots', 'slot_00.lock')
    const holder = await holdLock(slot)
    writeFileSync(slot, `${holder.pid}\n`)
    const report = await doctor(dir, { fix: true })
    expect(await alarms(report)).toEqual(['protocol/no-protocol-file'])
    expect(report.checks.find(({ id }) => id === 'holders')?.found).toContain(`pid ${holder.pid}`)
    expect(existsSync(join(dir, 'slots', 'protocol.json'))).toBe(false)
  })

  test('a full pool is a warning that names who is in it', async () => {
    const dir = join(freshDir(), 'full')
    mkdirSync(dir, { mode: 0o700 })
    const holder = procref(['slot', 'hold', '--dir', dir, '--slots', '1', '--label', 'the holder'])
    await holder.line()
    const report = await doctor(dir)
    expect(await alarms(report)).toEqual(['holders/all-slots-in-use'])
    expect(findingOf(report, 'all-slots-in-use').remedy).toContain('the holder')
  })
})

describe('slots for servers elsewhere', () => {
  test('whoever holds one is named beside those of the directory’s own server, and gives no alarm', async () => {
    const dir = serviceDir()
    const { keeperPid } = await keepUp(dir)
    await using _user = await useElsewhere(dir)
    const report = await doctor(dir)
    expect(await alarms(report)).toEqual([])
    const [own, elsewhere] =
      report.checks.find(({ id }) => id === 'holders')?.found.split('; for servers elsewhere: ') ?? []
    expect(own).toContain(`pid ${keeperPid}`)
    expect(elsewhere).toContain(`1 of 100: `)
    expect(elsewhere).toContain(ELSEWHERE)
  })

  test('a full pool of them is a warning that names who is in it', async () => {
    const dir = await slotsOnlyDir()
    await using _user = await useElsewhere(dir, 1)
    const report = await doctor(dir)
    expect(await alarms(report)).toEqual(['holders/all-slots-in-use'])
    expect(findingOf(report, 'all-slots-in-use')).toMatchObject({
      found: 'All 1 slots for servers elsewhere are in use.',
      remedy: expect.stringContaining(ELSEWHERE),
    })
  })

  test('one that is held by nobody who can be seen is explained, and keeps no server up', async () => {
    const dir = await slotsOnlyDir()
    await using _user = await useElsewhere(dir)
    const [slot = ''] = ['slot_42.lock', 'slot_43.lock']
      .map((name) => join(dir, 'external', name))
      .filter((path) => !existsSync(path))
    // Beyond any pid that Linux gives out.
    writeFileSync(slot, '99999999\n', { mode: 0o600 })
    await holdLock(slot)
    const report = await doctor(dir)
    expect(await alarms(report)).toEqual(['holders/holder-not-seen'])
    expect(findingOf(report, 'holder-not-seen').path).toBe(slot)
    expect(findingOf(report, 'holder-not-seen').why).not.toContain('the server stays up')
  })

  test.runIf(isNativeCodeHere())(
    'that are locked as the backend that was asked for does not are a problem of their folder',
    async () => {
      const dir = await slotsOnlyDir()
      await using _user = await useElsewhere(dir)
      const report = await doctorCommand(dir, { env: { PROCREF_BACKEND: 'robust-mutex' } })
      const unusable = report.findings.filter(({ code }) => code === 'backend-unusable')
      expect(unusable.map(({ path }) => path)).toEqual([null, join(dir, 'external')])
    },
  )
})

describe.runIf(isNativeCodeHere() && process.platform === 'linux')('semaphores', () => {
  /** A pool of them, and who holds a slot of it. */
  async function heldSet(): Promise<{ readonly dir: string; readonly holder: Child }> {
    const dir = serviceDir()
    mkdirSync(dir, { mode: 0o700 })
    const sysv = ['--dir', dir, '--backend', 'sysv']
    const holder = procref(['slot', 'hold', ...sysv, '--slots', '3'])
    await holder.line()
    // Whoever uses the pool next, and closes it last, removes the set.
    onTestFinished(async () => {
      holder.kill('SIGKILL')
      await holder.exited
      await finish(procref(['slot', 'try', ...sysv]))
    })
    return { dir, holder }
  }

  /** One whose only holder was killed: the set stays, unless the tests of another file tidy up, which cannot know that it is not theirs. */
  async function abandonedSet(): Promise<string> {
    const { dir, holder } = await heldSet()
    holder.kill('SIGKILL')
    await holder.exited
    return dir
  }

  test('a set that a directory of another protocol names, and that still exists, is a note', async () => {
    const other = await heldSet()
    const dir = await servedDir()
    cpSync(join(other.dir, 'slots', 'sysv.json'), join(dir, 'slots', 'sysv.json'))
    const report = await doctor(dir, { fix: true })
    expect(await alarms(report)).toEqual(['semaphores/semaphores-left-over'])
    expect(findingOf(report, 'semaphores-left-over').remedy).toMatch(/ipcrm -s \d+/)
  })

  test('POSIX semaphores that a directory of another protocol names, and that still exist, are a note', async () => {
    const abandoned = serviceDir()
    mkdirSync(abandoned, { mode: 0o700 })
    const hybrid = ['--dir', abandoned, '--backend', 'hybrid']
    const holder = procref(['slot', 'hold', ...hybrid, '--slots', '3'])
    await holder.line()
    const dir = await servedDir()
    cpSync(join(abandoned, 'slots', 'hybrid.table'), join(dir, 'slots', 'hybrid.table'))
    const report = await doctor(dir, { fix: true })
    expect(await alarms(report)).toEqual(['semaphores/semaphores-left-over'])
    expect(findingOf(report, 'semaphores-left-over').remedy).toMatch(/rm \/dev\/shm\/sem\.prf-/)
    // The last one removes them.
    holder.end()
    await holder.exited
    expect(await alarms(await doctor(dir))).toEqual([])
  })

  test('a directory that is locked with them and whose holders are dead gives no alarm', async () => {
    expect(await alarms(await doctor(await abandonedSet()))).toEqual([])
  })

  test.runIf(isRoot())('those of another IPC namespace are a problem', async () => {
    const dir = await abandonedSet()
    const args = ['--ipc', process.execPath, PROCREF, 'doctor', '--dir', dir, '--json']
    const inside = atEnd(startProgram('unshare', { args }))
    await inside.exited
    expect(await alarms(JSON.parse(inside.stdout()))).toContain('semaphores/semaphores-elsewhere')
  })
})

test('while a service comes, is killed and goes, fixes at any moment disturb nothing', async () => {
  const dir = await servedDir()
  let over = false
  let count = 0
  const fixes = (async () => {
    for (; !over; count++) {
      await doctor(dir, { fix: true })
      await nextTurn()
    }
  })()
  try {
    // At least four lives, and more until as many fixes have met them: which of the two is slow depends on the machine.
    for (let life = 0; life < 4 || (count <= 4 && life < 20); life++) {
      expect(await readRows(dir)).toEqual(ROWS)
      const { guardian } = JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'))
      // It may have left by itself, also in between.
      if (life % 2 === 0 && isAlive(guardian.pid)) killTogether(guardian.pid)
      else await finish(procref(['stop', '--force', '--dir', dir]))
    }
  } finally {
    over = true
  }
  await fixes
  expect(count).toBeGreaterThan(4)
})

describe('the machine', () => {
  test('a backend that nobody knows is a problem', async () => {
    const report = await doctorCommand(await servedDir(), { env: { PROCREF_BACKEND: 'telepathy' } })
    expect(await alarms(report)).toEqual(['backend/unknown-backend'])
    expect(findingOf(report, 'unknown-backend').found).toContain('native, flock')
  })

  test('a backend that does not speak the protocol of the directory is a problem that names both', async () => {
    const report = await doctorCommand(await servedDir(), { env: { PROCREF_BACKEND: 'robust-mutex' } })
    expect(await alarms(report)).toEqual(['backend/backend-unusable'])
    expect(findingOf(report, 'backend-unusable').found).toMatch(/"flock".*"robust-mutex"/)
  })

  test('an executable that is named and missing is a problem', async () => {
    const report = await doctorCommand(join(freshDir(), 'not-there'), {
      env: { PROCREF_SURREAL_BIN: '/nowhere/surreal' },
    })
    expect(await alarms(report)).toEqual(['server-program/executable-missing'])
  })

  test('fewer open files than a guardian can need are a warning', async () => {
    const dir = await slotsOnlyDir()
    const script = 'ulimit -n 150 && exec "$@"'
    const args = ['-c', script, 'sh', process.execPath, PROCREF, 'doctor', '--dir', dir, '--json']
    const limited = atEnd(startProgram('/bin/sh', { args }))
    await limited.exited
    expect(await alarms(JSON.parse(limited.stdout()))).toEqual(['limits/few-open-files'])
  })

  test.runIf(isRoot())('a directory in memory, on a disk that is nearly full', async () => {
    const disk = atEnd(mountTmpfs({ bytes: 8 << 20 }))
    const report = await doctor(join(disk.path, 'service'))
    expect(await alarms(report)).toEqual(['disk/disk-full', 'filesystem/memory-filesystem'])
    expect(report.healthy).toBe(false)
  })

  test.runIf(isRoot())('a file system that is mounted read-only is one problem, not several', async () => {
    const disk = atEnd(mountTmpfs({ bytes: 1 << 30 }))
    const dir = join(disk.path, 'service')
    await makeService(dir)
    await remountReadOnly(disk.path)
    expect(await alarms(await doctor(dir, { fix: true }))).toEqual(['disk/read-only', 'filesystem/memory-filesystem'])
  })

  test.runIf(isRoot())('a service in memory works, and is called not durable', async () => {
    const disk = atEnd(mountTmpfs({ bytes: 1 << 30 }))
    const dir = join(disk.path, 'service')
    await makeService(dir)
    await keepUp(dir)
    expect(await alarms(await doctor(dir))).toEqual(['filesystem/memory-filesystem', 'state/not-durable'])
  })
})

/** A guardian that is just leaving may have its log open for writing still. */
async function remountReadOnly(path: string): Promise<void> {
  await eventually('nobody writes there any more', () => {
    const { status, stderr } = spawnSync('mount', ['-o', 'remount,ro', path], { encoding: 'utf8' })
    if (status !== 0 && !/busy/.test(stderr)) throw new Error(stderr)
    return status === 0
  })
}

/** A lock file is there a moment before its lock is held. */
function isHeld(path: string): boolean {
  if (!existsSync(path)) return false
  const watch = flock().locks.watch(path)
  try {
    return watch.probe() === 'held'
  } finally {
    watch.close()
  }
}

function nonceOf(dir: string): string {
  return JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8')).nonce
}
