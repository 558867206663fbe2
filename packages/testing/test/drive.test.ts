import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atEnd, canCutPower, eventually, freshDir, mountDrive, startChild, startProgram } from '@procref/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'

const BYTES = 64 * 1024 * 1024
const PAGE = 4096
/** So many files of each syncer are never removed: all of them are looked for. */
const NEWEST = 200

afterEach(() => {
  vi.unstubAllEnvs()
})

function writeSynced(path: string, content: string | Uint8Array): void {
  const fd = openSync(path, 'w')
  writeSync(fd, Buffer.from(content))
  fsyncSync(fd)
  closeSync(fd)
}

/** What is mounted below `dir`, and on which loop devices. */
function mountsBelow(dir: string): readonly string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(dir))
}

function loopsBelow(dir: string): readonly string[] {
  return readdirSync('/sys/block').filter((name) => {
    const backing = spawnSync('cat', [`/sys/block/${name}/loop/backing_file`], { encoding: 'utf8' }).stdout
    return backing.startsWith(dir)
  })
}

describe.runIf(canCutPower())('a drive whose power is cut', () => {
  test('what was synced is there, in the cut and afterwards', async () => {
    const drive = atEnd(await mountDrive({ bytes: BYTES }))
    writeSynced(join(drive.path, 'synced'), 'all of it')
    await using cut = await drive.powerCut()
    expect(readFileSync(join(cut.path, 'synced'), 'utf8')).toBe('all of it')
    expect(readFileSync(join(drive.path, 'synced'), 'utf8')).toBe('all of it')
  })

  test('what is in the page cache alone is lost', async () => {
    const drive = atEnd(await mountDrive({ bytes: BYTES }))
    let tries = 0
    // The system may have written it back meanwhile, for reasons of its own.
    await eventually('a file that was not synced is lost', async () => {
      const name = `dirty-${++tries}`
      writeFileSync(join(drive.path, name), 'x'.repeat(PAGE))
      await using cut = await drive.powerCut()
      return !existsSync(join(cut.path, name)) || statSync(join(cut.path, name)).size === 0
    })
  })

  test('what was written to the drive and not flushed is lost: its cache is volatile', async () => {
    const drive = atEnd(await mountDrive({ bytes: BYTES }))
    const path = join(drive.path, 'file')
    let tries = 0
    // A journal's commit, every five seconds, flushes the drive as well.
    await eventually('a page that was written past the page cache is lost', async () => {
      const [before, now] = [`before ${++tries}`, `now ${tries}`].map((text) => text.padEnd(PAGE)) as [string, string]
      writeSynced(path, before)
      const written = spawnSync('dd', [`of=${path}`, 'oflag=direct', 'iflag=fullblock', 'conv=notrunc', `bs=${PAGE}`], {
        input: now,
      })
      expect(written.status).toBe(0)
      await using cut = await drive.powerCut()
      const found = readFileSync(join(cut.path, 'file'), 'utf8')
      expect([before, now]).toContain(found)
      return found === before
    })
  })

  test('while others write and sync: each cut is one moment, whose file system needs nothing but its journal', async () => {
    const drive = atEnd(await mountDrive({ bytes: BYTES }))
    const syncer = new URL('./children/syncer.mjs', import.meta.url)
    const syncers = [1, 2, 3].map((n) => atEnd(startChild(syncer, { args: [join(drive.path, String(n))] })))
    await Promise.all(syncers.map((child) => child.event('synced')))
    for (let cuts = 0; cuts < 5; cuts++) {
      const before = syncers.map((child) => child.stdout().split('\n').length - 1)
      await using cut = await drive.powerCut()
      for (const [n, count] of before.entries()) {
        const dir = join(cut.path, String(n + 1))
        const whole = readdirSync(dir).filter((name) => readFileSync(join(dir, name), 'utf8') === name)
        const numbers = whole.map(Number).sort((a, b) => a - b)
        const last = numbers.at(-1) ?? -1
        expect(last).toBeGreaterThanOrEqual(count - 1)
        const newest = Array.from({ length: Math.min(NEWEST, last + 1) }, (_, i) => last - i).reverse()
        expect(numbers.slice(-NEWEST)).toEqual(newest)
      }
      execFileSync('mount', ['-o', 'remount,ro', cut.path])
      const check = spawnSync('e2fsck', ['-f', '-n', `${cut.path}.img`], { encoding: 'utf8' })
      expect(check.status, check.stdout + check.stderr).toBe(0)
    }
  })

  test('nothing of it is left when it is disposed, its cuts neither', async () => {
    const drive = await mountDrive({ bytes: BYTES })
    const dir = dirname(drive.path)
    await drive.powerCut()
    expect(mountsBelow(dir).length).toBeGreaterThan(3)
    expect(loopsBelow(dir).length).toBeGreaterThan(2)
    await drive[Symbol.asyncDispose]()
    expect(mountsBelow(dir)).toEqual([])
    await eventually('no loop device is left', () => loopsBelow(dir).length === 0)
    expect(existsSync(dir)).toBe(false)
  })

  test('nothing of it is left when the program that made it is killed, while it cuts the power', async () => {
    const child = atEnd(startChild(new URL('./children/cutter.mjs', import.meta.url)))
    const { path } = await child.event<{ path: string }>('mounted')
    const dir = dirname(path)
    await child.event('cut')
    child.kill('SIGKILL')
    await child.exited
    await eventually('nothing is mounted', () => mountsBelow(dir).length === 0 && !existsSync(dir))
    await eventually('no loop device is left', () => loopsBelow(dir).length === 0)
  })

  test('nothing of it is left when it cannot be made', async () => {
    const dir = freshDir()
    vi.stubEnv('TMPDIR', dir)
    await expect(mountDrive({ bytes: PAGE })).rejects.toThrow('mkfs.ext4')
    expect(mountsBelow(dir)).toEqual([])
    await eventually('no loop device is left', () => loopsBelow(dir).length === 0)
    expect(readdirSync(dir)).toEqual([])
  })

  test('who cuts the power and is killed meanwhile leaves nobody waiting', async () => {
    const drive = atEnd(await mountDrive({ bytes: BYTES }))
    const floor = join(dirname(drive.path), 'floor')
    const child = atEnd(startChild(new URL('./children/stand-still.mjs', import.meta.url), { args: [floor] }))
    await child.event('frozen')
    const writer = atEnd(startProgram('sh', { args: ['-c', 'echo >"$1/file" && echo written', 'sh', floor] }))
    child.kill('SIGKILL')
    await child.exited
    expect(await writer.line()).toBe('written')
  })
})

test('without it, it is said once that something does not run', () => {
  // In a program of its own: the answer is remembered. It finds none of the programs that are needed.
  const program = fileURLToPath(new URL('./children/can-cut-power.mjs', import.meta.url))
  const env = { ...process.env, PATH: freshDir() }
  const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', env })
  expect(stdout).toBe('false false\n')
  expect(stderr.match(/NOT RUN: power cuts, because /g)).toHaveLength(1)
})
