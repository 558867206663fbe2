import { setTimeout as after } from 'node:timers/promises'
import { identify, isSameProcess } from '@procref/core'
import { overServices } from '../over-services.ts'
import type { Scenario } from '../scenario.ts'
import { Stage } from '../stage.ts'
import { summarize } from '../statistics.ts'
import { combined } from '../turn-by-turn.ts'

const TURNS = { guard: 1, quick: 1, full: 12 }
const LINGER_MS = 250
const LOOK_MS = 1
const HANGS_MS = 60_000

export const lastClientKilled: Scenario = {
  name: 'last-client-killed',
  title: 'The last client is killed, and the server stops',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const turns = await overServices(context, {
      turns: TURNS[context.scale],
      leaveOut: ({ service }) => service.lacks.stop,
      async measure(usable, turn) {
        await using stage = await Stage.open(context, usable, { name: turn, lingerMs: LINGER_MS })
        const client = await stage.start()
        const { server = 0 } = await client.ask('connect')
        const process = identify(server)
        if (process === undefined) throw new Error(`the server, pid ${server}, is not there`)
        // Of the same clock as what is noted: with it they are compared.
        const killedAt = Date.now()
        const gone = client.kill()
        while (isSameProcess(process)) {
          if (Date.now() > killedAt + HANGS_MS)
            throw new Error(`the server runs ${HANGS_MS / 1_000} s after its last client`)
          await after(LOOK_MS)
        }
        const goneAt = Date.now()
        await gone
        const beganAt = stage.place.stopBeganAt()
        if (beganAt === undefined) throw new Error('nobody noted when the server began to stop')
        // The clock counts whole milliseconds: what took none is told as one.
        const beyond = (at: number): number => Math.max(1, at - killedAt - stage.place.lingerMs)
        return { began: beyond(beganAt), gone: beyond(goneAt) }
      },
    })
    return {
      name: lastClientKilled.name,
      title: lastClientKilled.title,
      question:
        'How long does a server outlive the last program that needs it, beyond the time that it waits on purpose?',
      method:
        `One client connects, and is killed (SIGKILL); ${TURNS[context.scale]} times, each in a new folder. The stop begins when that is ` +
        `noted in the journal; the server is gone when its process is. The linger of ${LINGER_MS} ms, where a service has one, is taken off.`,
      unit: 'ms',
      better: 'lower',
      ...combined(turns, (gave) => [
        { variant: 'stop begins', points: [summarize(gave.map(({ began }) => began))] },
        { variant: 'server gone', points: [summarize(gave.map(({ gone }) => gone))] },
      ]),
    }
  },
}
