// A process that locks one file, one word a line.
import { type FileLock, rebuildFromDescriptor, type SlotBackend } from '@procref/core'
import { obey, say, sayFailed } from '../harness/index.ts'
import { readPart } from './part.ts'
import { startHeir, startOrdinary } from './start.ts'

const path = process.argv[3] ?? ''

async function main(): Promise<void> {
  const { locks } = await rebuildFromDescriptor<SlotBackend>(readPart().descriptor)
  let lock: FileLock | undefined
  const answer = (word: string, value: unknown): void => say(word, { answer: value ?? null })
  obey({
    tryLock: () => {
      const taken = locks.tryLock(path)
      lock = taken ?? lock
      answer('tryLock', taken !== undefined)
    },
    probe: () => {
      const watch = locks.watch(path)
      answer('probe', watch.probe())
      watch.close()
    },
    release: () => {
      lock?.release()
      answer('release', undefined)
    },
    startHeir: () => answer('startHeir', startHeir(lock?.fd)),
    startOrdinary: () => answer('startOrdinary', startOrdinary()),
  })
  say('ready')
}

main().catch(sayFailed)
