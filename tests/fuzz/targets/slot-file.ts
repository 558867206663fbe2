import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeRecord, parseRecord, type Slot } from '@procref/core'
import { flock } from '@procref/flock'
import { native } from '@procref/native'
import { freshDir } from '@procref/testing'
import { mutatedBytes } from '../mutated-bytes.ts'
import { fuzzTarget } from '../target.ts'

const SLOTS = 3

const SAMPLES = [
  encodeRecord({ pid: 4_711, label: 'gcode', startedAt: '2026-01-01T00:00:00.000Z', program: 'node server.mjs' }),
  encodeRecord({ pid: 1, label: 'é😀'.repeat(100), program: 'x'.repeat(1_000) }),
  // What the original program writes, and what it leaves of ours.
  Buffer.from('12345\n'),
  Buffer.concat([Buffer.from('99\n'), encodeRecord({ pid: 4_711, label: 'earlier' }).subarray(3)]),
  Buffer.alloc(0),
]

export const slotFileTargets = [flock(), native()].map((backend) =>
  fuzzTarget<Buffer>({
    name: `slot-files-${backend.name}`,
    title: `what stands in slot files, to ${backend.name}()`,
    inputs: mutatedBytes(SAMPLES),
    sample: 750,
    async open() {
      const dir = join(freshDir(), 'slots')
      const pool = await backend.open(dir, { slots: SLOTS })
      const holder = await pool.claim()
      const others = Array.from({ length: SLOTS }, (_, id) => id).filter((id) => id !== holder.id)
      const path = (id: number): string => join(dir, `slot_0${id}.lock`)
      return {
        /** In the file of the held slot and in those of the free ones: locks decide, whatever stands there. */
        async feed(input) {
          checkTexts(parseRecord(input))
          for (const id of [holder.id, ...others]) writeFileSync(path(id), input)
          const held = await pool.held()
          if (held.length !== 1 || held[0]?.slot !== holder.id) throw new Error(`held: ${JSON.stringify(held)}`)
          checkTexts(held[0])
          if (await pool.provenEmpty()) throw new Error('proven empty, with a holder')
          await holder.verify()
          const claimed: Slot[] = []
          try {
            for (let slot = await pool.tryClaim(); slot !== undefined; slot = await pool.tryClaim()) claimed.push(slot)
            const ids = claimed.map(({ id }) => id).toSorted((a, b) => a - b)
            if (ids.join() !== others.join()) throw new Error(`the free slots are ${others}, to be had were ${ids}`)
          } finally {
            for (const slot of claimed) await slot.release()
          }
        },
        async [Symbol.asyncDispose]() {
          await holder.release()
          await pool.close()
        },
      }
    },
  }),
)

/** They may end up on a terminal. */
function checkTexts(seen: object | undefined): void {
  const text = Object.values(seen ?? {}).filter((value) => typeof value === 'string')
  if (text.some((one) => /\p{Cc}/u.test(one)))
    throw new Error(`a control character came through: ${JSON.stringify(seen)}`)
}
