import { mkdirSync } from 'node:fs'
import { flock } from '@procref/flock'
import { type Child, startChild } from '@procref/testing'
import { expect } from 'vitest'
import { type Connected, connected, type Driver } from './service.ts'

/** What clients that come and go have done. */
export interface Tally {
  visits: number
  leftWell: number
  killedClients: number
  /** Statements that they sent again because a server died. */
  repeated: number
  maxRows: number
}

/** What a visitor says of its visit, or of all that it made. */
export interface Visited {
  readonly wrote: number
  readonly read: number
  readonly repeated: number
}

export function newTally(): Tally {
  return { visits: 0, leftWell: 0, killedClients: 0, repeated: 0, maxRows: 0 }
}

/** All slots of a new directory. Each has a file once it was claimed, and who claims takes any: so that no new files come later. */
export async function makeSlots(dir: string, slots: number): Promise<void> {
  mkdirSync(dir, { mode: 0o700 })
  await using pool = await flock().open(`${dir}/slots`, { slots })
  await Promise.all(Array.from({ length: slots }, () => pool.claim()))
}

/** A process that comes to the directory's server. Caller: disposes of it. */
export function startVisitor(dir: string, driver: Driver, options: Readonly<Record<string, unknown>>): Child {
  return startChild(new URL('./children/client.mjs', import.meta.url), {
    args: [dir, JSON.stringify({ driver, lingerMs: 1_000, ...options })],
  })
}

/** A program that loads the SDK on a busy machine needs longer than the 30 s of one event. */
export async function arrived(visitor: Child): Promise<Connected> {
  await visitor.event('progress')
  return await connected(visitor)
}

/** It writes, reads what it wrote and deletes what is old, then leaves; every second one is killed instead. `meanwhile`: what happens under it. */
export async function visit(
  visitor: Child,
  tally: Tally,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  const leaves = ++tally.visits % 2 === 0
  await arrived(visitor)
  visitor.send('visit')
  await meanwhile()
  const visited = await visitor.event<Visited & { rows: number }>('visited')
  expect(visited.read, 'rows that it reads of those it wrote').toBe(visited.wrote)
  tally.repeated += visited.repeated
  tally.maxRows = Math.max(tally.maxRows, visited.rows)
  if (leaves) return await leave(visitor, tally)
  visitor.kill('SIGKILL')
  await visitor.exited
  tally.killedClients++
}

export async function leave(visitor: Child, tally: Tally): Promise<void> {
  visitor.send('close')
  await visitor.event('closed')
  visitor.end()
  await visitor.exited
  tally.leftWell++
}
