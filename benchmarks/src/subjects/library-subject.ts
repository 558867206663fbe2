import type { Subject } from '../subject.ts'
import { libraryMissing, versionOf } from './installed.ts'
import { javascriptActor } from './javascript-actor.ts'

/** A library of JavaScript that needs nothing but itself: such subjects differ only in what is told here and in their module in `pools/`. */
export function librarySubject(
  told: Pick<Subject, 'name' | 'title' | 'summary' | 'maxSlots' | 'waits'> &
    Partial<Pick<Subject, 'kind' | 'betweenProcesses' | 'waitsForOne' | 'freedByTimeout' | 'declares'>> & {
      /** The package that has to be installed; its version is the subject's. */
      readonly library: string
    },
): Subject {
  const { library, ...rest } = told
  return {
    kind: 'library',
    betweenProcesses: true,
    ...rest,
    unavailable: async () => await libraryMissing([library]),
    prepare: async () => javascriptActor(told.name, { version: versionOf(library) }),
  }
}
