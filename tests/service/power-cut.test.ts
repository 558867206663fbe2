import {
  atEnd,
  type Child,
  canCutPower,
  endDirectory,
  eventually,
  mountDrive,
  type PowerCut,
  shareOf,
} from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { acknowledgedBy } from './herd.ts'
import { DRIVE_BYTES, type Loss, lossOf, onWhatIsLeft, type ServiceOnDrive, serviceOn } from './power-cuts.ts'
import {
  clientsOf,
  connected,
  counted,
  DRIVERS,
  killed,
  killTogether,
  type StartClient,
  stopped,
  wroteRow,
} from './service.ts'
import { START_STEPS, STOP_STEPS, Stops, stoppedAt } from './stops.ts'

const CUTS = 3
const WRITERS = 3
/** Each writer has so many rows more before the next cut. */
const ROWS_BETWEEN = 50

const starting = Object.entries(START_STEPS) as [keyof typeof START_STEPS, string][]
/** Before the database is opened anew, and once it has taken up what the last server left. */
const recovering = starting.filter(([step]) => step === 'launching' || step === 'ready')
const stopping = Object.entries(STOP_STEPS) as [keyof typeof STOP_STEPS, string][]

async function onADrive(): Promise<ServiceOnDrive> {
  return serviceOn(atEnd(await mountDrive({ bytes: DRIVE_BYTES })))
}

/** The power goes, and with it everybody who was there. */
async function cutUnder(service: ServiceOnDrive, ...clients: readonly Child[]): Promise<PowerCut> {
  const cut = atEnd(await service.drive.powerCut())
  await Promise.all(clients.map(killed))
  await endDirectory(service.dir)
  return cut
}

/** How many rows the server has acknowledged. */
async function wroteRows(writer: Child): Promise<number> {
  writer.send('write')
  await eventually('it writes', () => acknowledgedBy(writer) >= ROWS_BETWEEN)
  writer.send('stop')
  return (await writer.event<{ acknowledged: number }>('wrote')).acknowledged
}

/** What each of some cuts takes from writers that go on writing. */
async function lossesUnderWriters(start: StartClient): Promise<readonly Loss[]> {
  const service = await onADrive()
  const writers = Array.from({ length: WRITERS }, () => start(service.dir))
  await Promise.all(writers.map(connected))
  for (const writer of writers) writer.send('write')
  const cuts: PowerCut[] = []
  while (cuts.length < CUTS) {
    const before = writers.map(acknowledgedBy)
    await eventually('every writer writes', () =>
      writers.every((writer, n) => acknowledgedBy(writer) >= (before[n] ?? 0) + ROWS_BETWEEN),
    )
    cuts.push(atEnd(await service.drive.powerCut()))
  }
  await Promise.all(writers.map(killed))
  await endDirectory(service.dir)
  const losses: Loss[] = []
  for (const cut of cuts) {
    losses.push(await onWhatIsLeft(service, cut, start, (reader) => lossOf(writers, reader, cut)))
  }
  return losses
}

describe.runIf(canCutPower()).each(DRIVERS)('the power is cut (%s)', (driver) => {
  const start = clientsOf(driver)

  test('while three processes write: the next client finds every acknowledged row, without gaps', async () => {
    const losses = await lossesUnderWriters(start)
    expect(losses).toEqual(losses.map(({ acknowledged }) => ({ acknowledged, lostRows: 0, lostMs: 0, gaps: 0 })))
    expect(losses[0]?.acknowledged).toBeGreaterThanOrEqual(WRITERS * ROWS_BETWEEN)
  })

  // What the test above would see if something were not synced.
  test('while three processes write with sync never: rows are missing, and the next client finds the others', async () => {
    const losses = await lossesUnderWriters((dir, options) => start(dir, { sync: 'never', ...options }))
    expect(Math.max(...losses.map(({ lostRows }) => lostRows))).toBeGreaterThan(0)
    expect(losses.map(({ gaps }) => gaps)).toEqual(losses.map(() => 0))
  })

  test('right after the server has stopped in order: the next client finds every row', async () => {
    const service = await onADrive()
    const writer = start(service.dir)
    const { port } = await connected(writer)
    const acknowledged = await wroteRows(writer)
    writer.send('close')
    await writer.event('closed')
    await stopped(service.dir, port)
    const cut = await cutUnder(service, writer)
    expect(await onWhatIsLeft(service, cut, start, counted)).toBe(acknowledged)
  })

  test.each(shareOf(starting, driver, DRIVERS))(
    'in a first start, at %s (%s): the next client is served',
    async (step) => {
      const service = await onADrive()
      const stops = new Stops()
      stops.arm(step)
      const client = stops.clientsOf(driver)(service.dir)
      await stops.reached(step)
      const cut = await cutUnder(service, client)
      await onWhatIsLeft(service, cut, start, async (next) => {
        await wroteRow(next)
        expect(await counted(next)).toBe(1)
      })
    },
  )

  test.each(shareOf(stopping, driver, DRIVERS))(
    'while the server is stopped, at %s (%s): the next client finds the row',
    async (step) => {
      const service = await onADrive()
      await stoppedAt(driver, service.dir, step)
      const cut = await cutUnder(service)
      expect(await onWhatIsLeft(service, cut, start, counted)).toBe(1)
    },
  )

  test.each(shareOf(recovering, driver, DRIVERS))(
    'in the start after a crash, at %s (%s): the next client finds every row',
    async (step) => {
      const service = await onADrive()
      const stops = new Stops()
      const writer = stops.clientsOf(driver)(service.dir)
      const { guardianPid, serverPid } = await connected(writer)
      const acknowledged = await wroteRows(writer)
      stops.arm(step)
      killTogether(guardianPid, serverPid)
      await stops.reached(step)
      const cut = await cutUnder(service, writer)
      expect(await onWhatIsLeft(service, cut, start, counted)).toBe(acknowledged)
    },
  )
})
