import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrating, moveSlots, readProtocolPin, type SlotBackend, undoMove } from '@procref/core'
import { flock } from '@procref/flock'
import { native, ofdRange, robustMutex, sysv } from '@procref/native'
import { atEnd, freshDir, removeSemaphoresAfterwards, removeSetsAfterwards, startChild } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { describeMigration, PAIRS, SLOW_PAIRS } from './pairs.ts'

const KILLED = new URL('./children/move.mjs', import.meta.url)
const SLOTS = 3
/** A program is started for each step, one after the other. */
const HANGS_MS = 600_000

function code(code: string) {
  return expect.objectContaining({ code })
}

async function used(backend: SlotBackend): Promise<string> {
  const dir = join(freshDir(), 'slots')
  const pool = await backend.open(dir, { slots: SLOTS })
  await (await pool.claim()).release()
  await pool.close()
  return dir
}

async function claimAll(backend: SlotBackend, dir: string): Promise<number> {
  await using pool = await backend.open(dir)
  let count = 0
  while ((await pool.tryClaim()) !== undefined) count++
  return count
}

/** The other way round as well: what an open pool does is the old backend's. */
const BOTH_WAYS = [
  ...PAIRS,
  ...SLOW_PAIRS,
  ...PAIRS.slice(0, 1).map(({ from, to }) => ({ name: 'ofd-range to flock', from: to, to: from })),
]

describeMigration('moveSlots()', { timeout: HANGS_MS }, () => {
  removeSetsAfterwards()
  removeSemaphoresAfterwards()

  describe.each(BOTH_WAYS.map((pair) => [pair.name, pair] as const))('from %s', (_name, { from, to }) => {
    test('the slots are the new backend’s afterwards, as many as before, and the old one is refused', async () => {
      const dir = await used(from())
      const pin = await moveSlots({ dir, from: from(), to: to() })
      expect(pin).toEqual({ protocol: to().protocol, slots: SLOTS, folder: 'generation-2' })
      expect(readProtocolPin(dir)).toEqual(pin)
      expect(await claimAll(to(), dir)).toBe(SLOTS)
      await expect(from().open(dir)).rejects.toEqual(code('PROCREF_PROTOCOL_MISMATCH'))
    })

    test('who has a new slot in phase 3 has it beside plain users of the new backend', async () => {
      const dir = await used(from())
      for (const phase of [1, 2, 3] as const) {
        await (await migrating({ from: from(), to: to(), phase }).open(dir)).close()
      }
      await moveSlots({ dir, from: from(), to: to() })
      for (const phase of [1, 2, 3] as const) {
        await using pool = await migrating({ from: from(), to: to(), phase }).open(dir)
        await using plain = await to().open(dir)
        const slots = [await pool.claim(), await plain.claim(), await pool.claim()]
        expect(new Set(slots.map(({ id }) => id)).size).toBe(SLOTS)
        expect([await plain.tryClaim(), await pool.tryClaim()]).toEqual([undefined, undefined])
        expect([await plain.count(), await pool.count()]).toEqual([SLOTS, SLOTS])
      }
    })

    test('a pool that was opened before gets no old slot any more, and is told why', async () => {
      const dir = await used(from())
      await using before = await from().open(dir)
      await moveSlots({ dir, from: from(), to: to() })
      for (let n = 0; n <= SLOTS; n++)
        await expect(before.tryClaim()).rejects.toEqual(code('PROCREF_PROTOCOL_MISMATCH'))
    })

    test('who waits for an old slot while they are moved is told that they are gone', async () => {
      const dir = await used(from())
      await using before = await from().open(dir)
      let waiting: Promise<unknown> = Promise.resolve()
      await moveSlots({
        dir,
        from: from(),
        to: to(),
        onStep(step) {
          if (step !== 'claimed') return
          waiting = before.claim({ timeoutMs: 600_000 })
          waiting.catch(() => {})
        },
      })
      await expect(waiting).rejects.toEqual(code('PROCREF_PROTOCOL_MISMATCH'))
    })

    test.each(['old', 'new'] as const)(
      'while somebody holds an %s slot it is refused, naming them, and nothing is changed',
      async (which) => {
        const dir = await used(from())
        const holding = which === 'old' ? from() : migrating({ from: from(), to: to(), phase: 2 })
        await using pool = await holding.open(dir, { label: 'an editor' })
        await using slot = await pool.claim()
        const before = readdirSync(dir)
        const refused = expect.objectContaining({
          code: 'PROCREF_SLOTS_HELD',
          message: expect.stringContaining('an editor'),
        })
        await expect(moveSlots({ dir, from: from(), to: to() })).rejects.toEqual(refused)
        await slot.verify()
        expect(readProtocolPin(dir)).toEqual({ protocol: from().protocol, slots: SLOTS })
        expect(readdirSync(dir)).toEqual(expect.arrayContaining(before))
        await slot.release()
        await moveSlots({ dir, from: from(), to: to() })
      },
    )

    test('there and back again: each move has a folder of its own', async () => {
      const dir = await used(from())
      await moveSlots({ dir, from: from(), to: to() })
      expect(await moveSlots({ dir, from: to(), to: from() })).toMatchObject({ folder: 'generation-3' })
      expect(await claimAll(from(), dir)).toBe(SLOTS)
      expect(await moveSlots({ dir, from: from(), to: to() })).toMatchObject({ folder: 'generation-4' })
      expect(await claimAll(to(), dir)).toBe(SLOTS)
    })

    test('killed at every step it leaves the old slots, the new ones, or a clear refusal, and can be done again', async () => {
      const seen = new Set<string>()
      for (let step = 1; ; step++) {
        const dir = await used(from())
        // A pool from before the move is the witness: it may get an old slot only as long as nobody can get a new one.
        await using before = await from().open(dir)
        const child = atEnd(startChild(KILLED, { args: [from().name, to().name, dir, String(step)] }))
        const { code: ended } = await child.exited
        const [last] = child.stdout().trim().split('\n').slice(-1)
        if (ended === 0) {
          expect(seen.size).toBeGreaterThanOrEqual(6)
          break
        }
        seen.add(String(last))
        const old = await before.tryClaim().catch((error: Error & { code?: string }) => error.code)
        const fresh = await to()
          .open(dir)
          .catch((error: Error & { code?: string }) => error.code)
        if (typeof fresh === 'object') {
          expect(old, `after ${last}`).toBe('PROCREF_PROTOCOL_MISMATCH')
          await fresh.close()
        } else {
          expect(['PROCREF_PROTOCOL_MISMATCH', 'PROCREF_DIRECTORY_MOVING'], `after ${last}`).toContain(fresh)
          undoMove(dir)
          if (typeof old === 'object') {
            await expect(moveSlots({ dir, from: from(), to: to() })).rejects.toEqual(code('PROCREF_SLOTS_HELD'))
            await old.verify()
            await old.release()
          }
          await moveSlots({ dir, from: from(), to: to() })
        }
        expect(await claimAll(to(), dir)).toBe(SLOTS)
        await expect(before.tryClaim()).rejects.toEqual(code('PROCREF_PROTOCOL_MISMATCH'))
      }
    })
  })

  test('a program that knows no protocol.json gets no old slot either: the names of the files lead nowhere', async () => {
    const dir = await used(flock())
    await moveSlots({ dir, from: flock(), to: ofdRange() })
    for (let slot = 0; slot < SLOTS; slot++) {
      const path = join(dir, `slot_0${slot}.lock`)
      expect(lstatSync(path).isSymbolicLink()).toBe(true)
      // As it would open it: making it if it is missing.
      expect(() => writeFileSync(path, '4711\n')).toThrow('ENOENT')
    }
  })

  test('a directory that only the original program has used moves as well', async () => {
    const dir = freshDir()
    writeFileSync(join(dir, 'slot_00.lock'), '4710\n')
    writeFileSync(join(dir, 'slot_07.lock'), '4711\n')
    expect(await moveSlots({ dir, from: native(), to: robustMutex() })).toMatchObject({
      protocol: 'robust-mutex',
      slots: 100,
    })
    expect(readFileSync(join(dir, 'retired', 'slot_07.lock'), 'utf8')).toContain(`${process.pid}\n`)
  })

  test('what cannot be retired is undone: the old slots go on', async () => {
    const dir = await used(flock())
    const { systemCalls } = await import('@procref/core')
    let links = 0
    const system = {
      ...systemCalls,
      symlink(target: string, path: string): void {
        if (++links === 2) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
        systemCalls.symlink(target, path)
      },
    }
    await expect(moveSlots({ dir, from: flock(), to: sysv(), system })).rejects.toThrow('ENOSPC')
    expect(readProtocolPin(dir)).toEqual({ protocol: 'flock', slots: SLOTS })
    expect(await claimAll(flock(), dir)).toBe(SLOTS)
    expect(existsSync(join(dir, 'slot_00.lock.moved.tmp'))).toBe(false)
  })
})
