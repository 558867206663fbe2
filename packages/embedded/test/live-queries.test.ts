import { expect, test } from 'vitest'
// Not part of the public interface.
import { decodeValue, encodeMap, encodeUuid, encodeValue } from '../dist/cbor.js'
import { LiveQueries } from '../dist/live-queries.js'

const ID = '018e0000-0000-7000-8000-000000000001'

function notification(action: string): Buffer {
  return encodeMap([
    ['action', encodeValue(action)],
    ['id', encodeUuid(ID)],
  ])
}

/** What a client is told, in its order. */
function watched() {
  const live = new LiveQueries()
  const session = { engineId: ID } as Parameters<LiveQueries['add']>[1]['session']
  const told: string[] = []
  let wake = (): void => {}
  const deliver = (frame: Buffer): void => {
    told.push((decodeValue(frame) as { result: { action: string } }).result.action)
    if (told.at(-1) === 'KILLED') wake()
  }
  live.add(ID, { session, deliver, made: 'for sure' })
  return { live, session, told, ended: new Promise<void>((resolve) => (wake = resolve)) }
}

test('a change that the engine announces after the end of its live query is told before it', async () => {
  const { live, told, ended } = watched()
  for (const action of ['KILLED', 'CREATE', 'KILLED', 'UPDATE']) live.notify(notification(action))
  await ended
  live.notify(notification('CREATE'))
  expect(told).toEqual(['CREATE', 'UPDATE', 'KILLED'])
})

test('whose session is forgotten is told no end', async () => {
  const { live, session, told } = watched()
  const other = watched()
  live.notify(notification('KILLED'))
  live.forget(session)
  // Its timer is younger.
  other.live.notify(notification('KILLED'))
  await other.ended
  expect(told).toEqual([])
})
