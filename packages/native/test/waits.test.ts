import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type FileLock, UnsafeFileError } from '@procref/core'
import { native } from '@procref/native'
import { atEnd, type Child, freshDir, HANGS_MS, mustBlock, startChild, startProgram, within } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { describeNative } from './native-built.ts'

const child = (name: string, args: readonly string[], execArgv: readonly string[] = []): Child =>
  atEnd(startChild(new URL(`./children/${name}.mjs`, import.meta.url), { args, execArgv }))

/** A file that this process has locked. */
function heldFile(): { readonly path: string; readonly held: FileLock } {
  const path = join(freshDir(), 'control.lock')
  const held = native().locks.tryLock(path)
  if (held === undefined) throw new Error('a new file could not be locked')
  onTestFinished(() => held.release())
  return { path, held }
}

async function lockWhenFree(path: string, signal: AbortSignal = new AbortController().signal): Promise<FileLock> {
  const { locks } = native()
  if (locks.lockWhenFree === undefined) throw new Error('native() does not wait in the kernel')
  return await locks.lockWhenFree(path, { signal })
}

function isFree(path: string): boolean {
  const lock = native().locks.tryLock(path)
  lock?.release()
  return lock !== undefined
}

describeNative('waiting in the kernel', () => {
  test('a lock is handed over when its holder lets go, and to one waiter after the other', async () => {
    const { path, held } = heldFile()
    const waits = [lockWhenFree(path), lockWhenFree(path), lockWhenFree(path)]
    const first = await mustBlock('lockWhenFree()', Promise.race(waits))
    held.release()
    await first()
    expect(isFree(path)).toBe(false)
    for (const [n, lock] of waits.entries()) {
      // Whoever has it lets go as soon as it is told.
      waits[n] = lock.then((mine) => {
        mine.release()
        return mine
      })
    }
    await within('all had it', Promise.all(waits))
    expect(isFree(path)).toBe(true)
  })

  test('a lock is handed over after its holder was killed, and so is one that a child inherited', async () => {
    const path = join(freshDir(), 'control.lock')
    const holder = child('lock-holder', [path])
    await holder.event('holds')
    const finishes = await mustBlock('lockWhenFree()', lockWhenFree(path))
    holder.kill('SIGKILL')
    const lock = await finishes()

    await using heir = startProgram('sleep', { args: ['3600'], inherit: [lock.fd as number] })
    lock.release()
    const comes = await mustBlock('lockWhenFree() of an inherited lock', lockWhenFree(path))
    heir.kill('SIGKILL')
    ;(await comes()).release()
  })

  test('a wait that is called off while the lock is freed ends with the lock or with the reason, and the lock is not lost', async () => {
    const { path, held } = heldFile()
    held.release()
    const ends = { locked: 0, calledOff: 0 }
    for (let n = 0; n < 300; n++) {
      const mine = native().locks.tryLock(path)
      const controller = new AbortController()
      const wait = lockWhenFree(path, controller.signal)
      mine?.release()
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
      controller.abort(n)
      try {
        ;(await wait).release()
        ends.locked++
      } catch (error) {
        expect(error).toBe(n)
        ends.calledOff++
      }
      expect(isFree(path)).toBe(true)
    }
    expect(ends.locked + ends.calledOff).toBe(300)
    expect(ends.calledOff).toBeGreaterThan(0)
  })

  test('what cannot be locked is refused with its code and path', async () => {
    const dir = freshDir()
    const missing = join(dir, 'missing/control.lock')
    await expect(lockWhenFree(missing)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open', path: missing })
    symlinkSync(missing, join(dir, 'link'))
    await expect(lockWhenFree(join(dir, 'link'))).rejects.toMatchObject({ code: 'ELOOP' })
    execFileSync('mkfifo', [join(dir, 'fifo')])
    await expect(lockWhenFree(join(dir, 'fifo'))).rejects.toBeInstanceOf(UnsafeFileError)
  })

  test('a signal that was aborted before starts no wait', async () => {
    const { path } = heldFile()
    const watch = native().locks.watch(path)
    onTestFinished(() => watch.close())
    const signal = AbortSignal.abort('before')
    await expect(lockWhenFree(path, signal)).rejects.toBe('before')
    await expect(watch.waitFree?.({ signal })).rejects.toBe('before')
  })

  test('a wait goes on after its watch was closed, and a closed watch starts none', async () => {
    const { path, held } = heldFile()
    const watch = native().locks.watch(path)
    const finishes = await mustBlock('waitFree()', watch.waitFree?.({}) ?? Promise.resolve())
    watch.close()
    held.release()
    await finishes()
    await expect(watch.waitFree?.({})).rejects.toThrow('is closed')
  })

  test('a process that only waits ends by itself, and process.exit() is not kept from ending one', async () => {
    const { path } = heldFile()
    expect(await within('the end', child('waits', [path, 'nothing']).exited)).toEqual({ code: 0, signal: null })
    expect(await within('the end', child('waits', [path, 'exit']).exited)).toEqual({ code: 7, signal: null })
  })

  test('whoever calls off a wait is told, although nothing else keeps the process alive', async () => {
    const { path } = heldFile()
    const waits = child('waits', [path, 'abort'])
    expect(await waits.event('done')).toMatchObject({ ended: ['called off', 'called off'] })
    expect(await waits.exited).toEqual({ code: 0, signal: null })
  })

  test('waits can be called off in a process that was started with all signals blocked, or with ours taken', async () => {
    const { path } = heldFile()
    const program = new URL('./children/waits.mjs', import.meta.url).pathname
    const prepare = {
      blocked: 'signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())',
      ignored: 'signal.signal(signal.SIGRTMIN + 5, signal.SIG_IGN)',
    }
    for (const statement of Object.values(prepare)) {
      const script = `import os, signal, sys\n${statement}\nos.execv(sys.argv[1], sys.argv[1:])`
      await using waits = startProgram('python3', { args: ['-c', script, process.execPath, program, path, 'abort'] })
      expect(await waits.event('done')).toMatchObject({ ended: ['called off', 'called off'] })
    }
  })

  test('a running wait, and the lock that it brings, survive the garbage collector', async () => {
    const { path, held } = heldFile()
    const forgets = child('waits', [path, 'forget'], ['--expose-gc'])
    await forgets.event('waits')
    held.release()
    await forgets.event('locked')
    // It collects garbage all the time.
    const finishes = await mustBlock('lockWhenFree()', lockWhenFree(path))
    forgets.kill('SIGKILL')
    ;(await finishes()).release()
  })

  test.runIf(process.platform === 'linux')(
    'a thousand waits at once that are called off leave no thread, descriptor, lock or memory behind',
    { timeout: 5 * HANGS_MS },
    async () => {
      const path = join(freshDir(), 'control.lock')
      const { rounds, free } = await child('many-waits', [path], ['--expose-gc']).event<{
        readonly rounds: readonly {
          readonly waiting: number
          readonly rejected: number
          readonly fds: number
          readonly memory: number
        }[]
        readonly free: boolean
      }>('done', 4 * HANGS_MS)
      expect(free).toBe(true)
      expect(rounds).toHaveLength(5)
      for (const { waiting, rejected, fds } of rounds) {
        expect({ waiting, rejected, fds }).toEqual({ waiting: 1000, rejected: 1000, fds: rounds[0]?.fds })
      }
      // A leaked wait would cost at least a page of its stack: 12 MB in three rounds.
      const [, warm, , , last] = rounds.map(({ memory }) => memory)
      expect(Number(last) - Number(warm)).toBeLessThan(6_000_000)
    },
  )

  test.runIf(process.platform === 'linux').each(['terminate', 'exit', 'exception', 'blocked'])(
    'worker threads that end while they wait (%s) leave no thread, descriptor or lock behind',
    async (how) => {
      const path = join(freshDir(), 'control.lock')
      expect(await child('waiting-workers', [path, how]).event('done')).toMatchObject({ newDescriptors: 0 })
    },
  )
})
