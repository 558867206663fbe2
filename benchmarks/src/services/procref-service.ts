import type { SlotBackend } from '@procref/core'
import { layout, readJournal, type ServerDriver } from '@procref/lifecycle'
import type { Service } from '../service.ts'
import { clientCommand } from './client-command.ts'
import type { ProcrefSettings } from './clients/procref.ts'
import { missing, versionOf } from './driver-here.ts'
import { whenNothingRuns } from './processes-of.ts'

/** procref as a service: all of them differ only in what is told here. */
export function procrefService(
  told: Pick<Service, 'name' | 'title' | 'summary' | 'engine'> & {
    readonly settings: Pick<ProcrefSettings, 'backend' | 'driver'>
    readonly backend: () => SlotBackend
    readonly driver: () => ServerDriver
    readonly remedy: string
  },
): Service {
  const { settings: chosen, backend, driver, remedy, ...rest } = told
  return {
    ...rest,
    kind: 'procref',
    shared: true,
    lacks: {},
    async unavailable(home) {
      const support = await backend().support(home)
      if (!support.supported) return { reason: support.reason, remedy: '`procref doctor` says more' }
      return await missing(driver(), remedy)
    },
    version: () => versionOf(driver()),
    async open(dir, settings) {
      return {
        client: clientCommand('procref', dir, { ...settings, ...chosen } as ProcrefSettings),
        lingerMs: settings.lingerMs,
        stopBeganAt() {
          const stop = readJournal(layout(dir).journal).findLast(({ event }) => event === 'server-stopping')
          return stop === undefined ? undefined : Date.parse(stop.at)
        },
        [Symbol.asyncDispose]: () => whenNothingRuns(dir),
      }
    },
  }
}
