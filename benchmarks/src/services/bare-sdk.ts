import { fileURLToPath } from 'node:url'
import { surrealBinary } from '@procref/lifecycle'
import { JsonProcess } from '../actor/json-process.ts'
import type { Service } from '../service.ts'
import { clientCommand } from './client-command.ts'
import { executableMissing, versionOf } from './driver-here.ts'
import { kill, MARKER, processesOf, whenNothingRuns } from './processes-of.ts'

const KEEPER = fileURLToPath(new URL('programs/keep-server.js', import.meta.url))
const BY_HAND = 'somebody starts and stops the server by hand'

/** What connecting costs when nobody has to care for the server. */
export const bareSdk: Service = {
  name: 'bare-sdk',
  title: 'Bare SDK, server by hand',
  summary: 'the official SDK, connected to a `surreal` that somebody has started and has to stop',
  kind: 'reference',
  engine: 'executable',
  shared: true,
  lacks: { start: BY_HAND, stop: BY_HAND, restart: BY_HAND },
  unavailable: executableMissing,
  version: () => versionOf(surrealBinary()),
  async open(dir, settings) {
    const { storage } = settings
    const keeper = new JsonProcess({ file: process.execPath, args: [KEEPER, dir, storage], env: { [MARKER]: dir } })
    const end = async (): Promise<void> => {
      await keeper.end()
      // Nothing, unless the keeper was killed because the run was called off.
      for (const left of processesOf(dir)) kill(left)
      await whenNothingRuns(dir)
    }
    try {
      await keeper.next('ready')
    } catch (error) {
      await end()
      throw error
    }
    return {
      client: clientCommand('bare-sdk', dir, settings),
      lingerMs: 0,
      stopBeganAt: () => undefined,
      [Symbol.asyncDispose]: end,
    }
  },
}
