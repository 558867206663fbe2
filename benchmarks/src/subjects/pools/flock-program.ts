import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import type { OpenPool, SubjectClaim } from '../../subject.ts'
import { lockableFile } from './lockable-file.ts'

/** flock(1): "the file was locked by somebody else, and -n was given". */
const REFUSED = 1

/**
 * As scripts do (`exec 3>file; flock 3`): the program locks a descriptor that it inherits and ends; the lock stays, since it belongs to the
 * open file description, until that is closed here.
 */
export const open: OpenPool = (dir) => {
  const file = lockableFile(dir)
  const lock = async (options: readonly string[]): Promise<SubjectClaim | undefined> => {
    const fd = openSync(file, 'r+')
    const child = spawn('flock', [...options, '3'], { stdio: ['ignore', 'ignore', 'inherit', fd] })
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    if (code === 0) return { slot: 0, release: () => closeSync(fd) }
    closeSync(fd)
    if (code === REFUSED && options.includes('-n')) return undefined
    throw new Error(`flock(1) ended with ${code ?? signal}`)
  }
  return {
    tryClaim: () => lock(['-n']),
    async claim() {
      const claim = await lock([])
      if (claim === undefined) throw new Error('flock(1) refused a lock that it was to wait for')
      return claim
    },
    close() {},
  }
}
