import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { SlotBackend } from '@procref/core'
import type { PreparedSubject, Subject } from '../subject.ts'
import { javascriptActor } from './javascript-actor.ts'

/** A backend of procref as a subject: all of them differ only in what is told here and in their module in `pools/`. */
export function backendSubject(
  told: Pick<Subject, 'name' | 'title' | 'summary' | 'maxSlots' | 'waits' | 'freedByTimeout'> & {
    /** The package that it comes from. */
    readonly from: string
    /** Something outside of a pool's folder outlives it when its last holder is killed. */
    readonly isSwept?: true
    readonly load: () => Promise<SlotBackend>
  },
): Subject {
  const { from, isSwept, load, ...rest } = told
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
      const actor = javascriptActor(told.name, { version })
      return isSwept === true ? swept(actor, await load()) : actor
    },
  }
}

/** Whoever closes a pool last takes away what is outside of its folder, so each is opened and closed once more. */
function swept(actor: PreparedSubject, backend: SlotBackend): PreparedSubject {
  const pools = new Map<string, number>()
  return {
    ...actor,
    command(dir, slots) {
      pools.set(dir, slots)
      return actor.command(dir, slots)
    },
    async sweep() {
      for (const [dir, slots] of pools) {
        if (existsSync(dir)) await (await backend.open(dir, { slots })).close()
      }
      pools.clear()
    },
  }
}
