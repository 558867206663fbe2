import { createRequire } from 'node:module'
import type { SlotBackend } from '@procref/core'
import type { Subject } from '../subject.ts'
import { javascriptActor } from './javascript-actor.ts'

/** A backend of procref as a subject: all of them differ only in what is told here and in their module in `pools/`. */
export function backendSubject(
  told: Pick<Subject, 'name' | 'title' | 'summary' | 'maxSlots' | 'waits'> & {
    /** The package that it comes from. */
    readonly from: string
    readonly load: () => Promise<SlotBackend>
  },
): Subject {
  const { from, load, ...rest } = told
  return {
    ...rest,
    kind: 'procref',
    betweenProcesses: true,
    declares: async () => ({
      platforms: (await load()).guarantees.platforms,
      where: 'the guarantees that its package declares',
    }),
    async unavailable(home) {
      const remedy = `npm install ${from}`
      try {
        const support = await (await load()).support(home)
        return support.supported ? undefined : { reason: support.reason, remedy: '`procref doctor` says more' }
      } catch (error) {
        return { reason: error instanceof Error ? error.message : String(error), remedy }
      }
    },
    async prepare() {
      const { version } = createRequire(import.meta.url)(`${from}/package.json`) as { version: string }
      return javascriptActor(told.name, { version })
    },
  }
}
