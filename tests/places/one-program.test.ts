import { readFileSync } from 'node:fs'
import { lookAtSlots } from '@procref/lifecycle'
import { native } from '@procref/native'
import { atEnd, type Child, eventually, startChild } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { type Connected, DRIVERS, killed, nothingIsLeft, serviceDir, stopped } from '../service/service.ts'

const KINDS = ['worker', 'fork', 'cluster'] as const
const MEMBERS = [0, 1, 2]

const PROGRAM = new URL('./children/program-of-many.mjs', import.meta.url)

async function heldSlots(dir: string): Promise<readonly number[]> {
  return (await lookAtSlots(native(), `${dir}/slots`)).held.map(({ slot }) => slot)
}

describe.each(DRIVERS)('several clients in one program (%s)', (driver) => {
  function startProgramOf(kind: (typeof KINDS)[number], dir: string): Child {
    const options = JSON.stringify({ driver, backend: 'native' })
    return atEnd(startChild(PROGRAM, { args: [kind, String(MEMBERS.length), dir, options] }))
  }

  test.each(KINDS)(
    'each %s has a lease of its own, whose slot is free when it is ended, and all others are back after the guardian was killed',
    async (kind) => {
      const dir = serviceDir()
      const program = startProgramOf(kind, dir)
      const members = await Promise.all(MEMBERS.map((n) => program.event<Connected>(`connected ${n}`)))
      const slots = members.map(({ slot }) => slot)
      expect(new Set(slots).size).toBe(MEMBERS.length)
      const [guardianPid = 0, ...others] = new Set(members.map((member) => member.guardianPid))
      expect(others).toEqual([])

      program.send('end 0')
      await program.event('ended 0')
      const rest = slots.slice(1).toSorted((a, b) => a - b)
      await eventually('its slot is free', async () => (await heldSlots(dir)).join() === rest.join())

      process.kill(guardianPid, 'SIGKILL')
      for (const n of [1, 2]) expect(await program.event(`reconnected ${n}`)).toMatchObject({ epoch: 2 })
      for (const n of [1, 2]) {
        program.send(`row ${n}`)
        await program.event(`row ${n}`)
      }
      program.send('close 1')
      await program.event('closed 1')
      expect(await heldSlots(dir)).toEqual(slots.slice(2))

      const { port } = JSON.parse(readFileSync(`${dir}/server.json`, 'utf8')) as { readonly port: number }
      await killed(program)
      await stopped(dir, port)
      await nothingIsLeft(dir)
    },
  )
})
