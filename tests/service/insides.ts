import { existsSync, readFileSync, rmSync } from 'node:fs'
import { eventually } from '@procref/testing'

/** The `guardianProgram` of clients whose guardian can be asked. */
export const OBSERVED_GUARDIAN: string = new URL('./children/observed-guardian.mjs', import.meta.url).href

/** What is in a guardian that can be asked. */
export interface Insides {
  /** That the embedded engine was told to begin, and not yet to end. */
  readonly sessions: number
  /** Of the embedded server, by class, those that are no garbage. */
  readonly objects: Readonly<Record<string, number>>
  /** What its event loop waits for: sockets, timers, watches, by kind. */
  readonly resources: Readonly<Record<string, number>>
  /** What its JavaScript takes that is no garbage. */
  readonly heapBytes: number
}

/** Asks the guardian `pid` of the directory. Caller: one question at a time. */
export async function insidesOf(dir: string, pid: number): Promise<Insides> {
  const path = `${dir}.insides.json`
  rmSync(path, { force: true })
  process.kill(pid, 'SIGUSR2')
  await eventually('the guardian says what is in it', () => existsSync(path))
  return JSON.parse(readFileSync(path, 'utf8'))
}
