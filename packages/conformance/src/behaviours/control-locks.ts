import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FileLock, type LockWatch, locksAreInheritable } from '@procref/core'
import type { Behaviour, Claim } from '../behaviour.ts'
import type { Context } from '../context.ts'
import { mustBlock } from '../harness/index.ts'
import { aborted } from '../traits/aborted.ts'
import { disposedTwice } from '../traits/disposed-twice.ts'
import { endProgram } from './programs.ts'

const PROGRAM = new URL('../children/locker.js', import.meta.url)

/** `backend.locks`: the locks on single files by which the guardian is elected and the server known to be dead. */
export const controlLocks: Behaviour = {
  name: 'control-locks',
  claims: ({ guarantees }) => [
    {
      title: 'a locked file is refused in this process and in others, and probed as held; released, it is free for all',
      async check(context) {
        const path = join(context.freshDir(), 'control.lock')
        const other = await startLocker(context, path)
        const ours = lock(context, path)
        assert.equal(context.backend.locks.tryLock(path), undefined, 'we got our own lock a second time')
        assert.equal(await other.ask('tryLock'), false, 'another process got our lock')
        assert.equal(await other.ask('probe'), 'held')
        assert.equal(watch(context, path).probe(), 'held')
        ours.release()
        assert.equal(await other.ask('probe'), 'free')
        assert.equal(await other.ask('tryLock'), true)
        assert.equal(context.backend.locks.tryLock(path), undefined)
        assert.equal(watch(context, path).probe(), 'held')
      },
    },
    {
      title: 'a lock is free after its holder was killed',
      async check(context) {
        const path = join(context.freshDir(), 'control.lock')
        const holder = await startLocker(context, path)
        assert.equal(await holder.ask('tryLock'), true)
        const looks = watch(context, path)
        assert.equal(looks.probe(), 'held')
        holder.kill('SIGKILL')
        await holder.exited
        await context.recovered('the lock is probed free', () => looks.probe() === 'free')
        await context.recovered('the lock can be had', () => tryLock(context, path))
      },
    },
    {
      title: 'a watch finds a lock held and free again as often as that changes, and keeps nobody away for long',
      async check(context) {
        const path = join(context.freshDir(), 'control.lock')
        const other = await startLocker(context, path)
        lock(context, path).release()
        const looks = watch(context, path)
        for (let round = 0; round < 20; round++) {
          assert.equal(looks.probe(), 'free')
          assert.equal(await other.ask('tryLock'), true, 'a probe that was over kept a locker away')
          assert.equal(looks.probe(), 'held')
          await other.ask('release')
        }
      },
    },
    {
      title: 'locking makes the file, for us alone, and leaves what is in it as it is',
      async check(context) {
        const dir = context.freshDir()
        lock(context, join(dir, 'new.lock'))
        if (process.getuid !== undefined) assert.equal(statSync(join(dir, 'new.lock')).mode & 0o777, 0o600)
        writeFileSync(join(dir, 'old.lock'), 'contents', { mode: 0o600 })
        lock(context, join(dir, 'old.lock')).release()
        assert.equal(readFileSync(join(dir, 'old.lock'), 'latin1'), 'contents')
      },
    },
    {
      title: 'a symbolic link is not followed, and a missing directory is the system’s ENOENT',
      async check(context) {
        const { backend, freshDir } = context
        const dir = freshDir()
        const elsewhere = join(freshDir(), 'elsewhere')
        symlinkSync(elsewhere, join(dir, 'link.lock'))
        assert.throws(() => backend.locks.tryLock(join(dir, 'link.lock')), Error)
        assert.equal(existsSync(elsewhere), false, 'the link was followed')
        assert.throws(() => backend.locks.tryLock(join(dir, 'missing', 'a.lock')), { code: 'ENOENT' })
      },
    },
    {
      title: 'watching makes no file: a missing one is the system’s ENOENT',
      async check({ backend, freshDir }) {
        const path = join(freshDir(), 'missing.lock')
        assert.throws(() => backend.locks.watch(path), { code: 'ENOENT' })
        assert.equal(existsSync(path), false)
      },
    },
    ...DAMAGES.map(guarantees.crashRelease === 'kernel' ? notCurrentWhen : lockIsNotCurrentWhen),
    disposedTwice('lock.release()', async (context) => {
      const path = join(context.freshDir(), 'control.lock')
      const ours = lock(context, path)
      return () => ours.release()
    }),
    disposedTwice('watch.close()', async (context) => {
      const path = join(context.freshDir(), 'control.lock')
      lock(context, path)
      const looks = watch(context, path)
      return () => looks.close()
    }),
    {
      title: 'a second release does not take the lock from its next holder',
      async check(context) {
        const path = join(context.freshDir(), 'control.lock')
        const first = lock(context, path)
        first.release()
        const second = lock(context, path)
        first.release()
        assert.equal(watch(context, path).probe(), 'held')
        assert.equal(second.isCurrent(), true)
      },
    },
    locksAreInheritable(guarantees)
      ? {
          title: 'a child that inherits the descriptor keeps the lock after it was released here, until it ends',
          async check(context) {
            const path = join(context.freshDir(), 'control.lock')
            const holder = await startLocker(context, path)
            assert.equal(await holder.ask('tryLock'), true)
            const heir = Number(await holder.ask('startHeir'))
            context.atEnd(() => endProgram(heir))
            const looks = watch(context, path)
            await holder.ask('release')
            assert.equal(looks.probe(), 'held', 'the release took the lock from the child as well')
            holder.kill('SIGKILL')
            await holder.exited
            assert.equal(looks.probe(), 'held')
            assert.equal(context.backend.locks.tryLock(path), undefined)
            endProgram(heir)
            await context.recovered('the lock is free after the end of the child', () => looks.probe() === 'free')
          },
        }
      : {
          title: 'a program that the holder started does not keep the lock',
          insteadOf: 'a child that inherits the descriptor keeps a control lock (locksInheritableByChild is false)',
          async check(context) {
            const path = join(context.freshDir(), 'control.lock')
            const holder = await startLocker(context, path)
            assert.equal(await holder.ask('tryLock'), true)
            const program = Number(await holder.ask('startOrdinary'))
            context.atEnd(() => endProgram(program))
            holder.kill('SIGKILL')
            await holder.exited
            await context.recovered('the lock can be had', () => tryLock(context, path))
          },
        },
    ...waitFree(),
  ],
}

interface Damage {
  readonly what: string
  readonly damage: (path: string) => void
}

const DAMAGES: readonly Damage[] = [
  { what: 'deleted', damage: (path) => rmSync(path) },
  {
    what: 'replaced',
    damage: (path) => {
      writeFileSync(`${path}.new`, '', { mode: 0o600 })
      renameSync(`${path}.new`, path)
    },
  },
  {
    what: 'deleted with its directory, which is made anew with all that was in it',
    damage: (path) => {
      rmSync(join(path, '..'), { recursive: true })
      mkdirSync(join(path, '..'), { mode: 0o700 })
      writeFileSync(path, '', { mode: 0o600 })
    },
  },
]

function notCurrentWhen({ what, damage }: Damage): Claim {
  return {
    title: `when its file is ${what}, lock and watch are current no more, and the watch stays with the old file`,
    async check(context) {
      const dir = join(context.freshDir(), 'dir')
      mkdirSync(dir, { mode: 0o700 })
      const path = join(dir, 'control.lock')
      const ours = lock(context, path)
      const looks = watch(context, path)
      assert.equal(ours.isCurrent(), true)
      assert.equal(looks.isCurrent(), true)
      damage(path)
      assert.equal(ours.isCurrent(), false)
      assert.equal(looks.isCurrent(), false)
      assert.equal(looks.probe(), 'held', 'the watch does not look at the file it opened')
      lock(context, path).release()
      assert.equal(looks.probe(), 'held')
      ours.release()
      assert.equal(looks.probe(), 'free')
      assert.equal(looks.isCurrent(), false)
    },
  }
}

function lockIsNotCurrentWhen({ what, damage }: Damage): Claim {
  return {
    title: `when its file is ${what}, the lock is current no more, and releasing it disturbs nobody`,
    insteadOf: `the watch of a file that is ${what} stays with the lock (crashRelease is not kernel: records are all there is)`,
    async check(context) {
      const dir = join(context.freshDir(), 'dir')
      mkdirSync(dir, { mode: 0o700 })
      const path = join(dir, 'control.lock')
      const ours = lock(context, path)
      assert.equal(ours.isCurrent(), true)
      damage(path)
      assert.equal(ours.isCurrent(), false)
      ours.release()
      assert.doesNotThrow(() => ours.release())
    },
  }
}

/** The kernel wakes us, where the backend has that. */
function waitFree(): readonly Claim[] {
  const heldWatch = async (context: Context): Promise<LockWatch & { waitFree?: LockWatch['waitFree'] }> => {
    const path = join(context.freshDir(), 'control.lock')
    lock(context, path)
    return watch(context, path)
  }
  const onlyWhereThere = (claim: Claim): Claim => ({
    ...claim,
    async check(context) {
      const looks = await heldWatch(context)
      if (looks.waitFree === undefined)
        return context.note('watches have no waitFree(): others wait by looking now and then')
      await claim.check(context)
    },
  })
  const claims: readonly Claim[] = [
    ...aborted('waitFree()', async (context) => {
      const looks = await heldWatch(context)
      return (signal) => looks.waitFree?.({ signal }) ?? Promise.resolve()
    }),
    {
      title: 'waitFree() resolves after the holder was killed, and the lock can then be had',
      async check(context) {
        const path = join(context.freshDir(), 'control.lock')
        const holder = await startLocker(context, path)
        await holder.ask('tryLock')
        const looks = watch(context, path)
        const finishes = await mustBlock('waitFree() of a held lock', looks.waitFree?.({}) ?? Promise.resolve())
        holder.kill('SIGKILL')
        await finishes()
        await context.recovered('the lock can be had', () => tryLock(context, path))
      },
    },
  ]
  return claims.map(onlyWhereThere)
}

function tryLock({ backend, atEnd }: Context, path: string): FileLock | undefined {
  const taken = backend.locks.tryLock(path)
  if (taken !== undefined) atEnd(() => taken.release())
  return taken
}

/** For checks in which nobody else has the lock. */
function lock(context: Context, path: string): FileLock {
  const taken = tryLock(context, path)
  if (taken === undefined) throw new Error(`${path} could not be locked, and nobody held it`)
  return taken
}

function watch({ backend, atEnd }: Context, path: string): LockWatch {
  const looks = backend.locks.watch(path)
  atEnd(() => looks.close())
  return looks
}

async function startLocker(context: Context, path: string) {
  const child = await context.actor(context.poolDir(), { script: PROGRAM, args: [path], slots: 1 })
  const ask = async (word: string): Promise<unknown> => {
    child.send(word)
    return (await child.event(word)).answer
  }
  return Object.assign(child, { ask })
}
