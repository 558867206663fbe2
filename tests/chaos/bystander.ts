import { startChild } from '@procref/testing'
import { isThere, processOf } from './processes.ts'

export interface Bystander extends AsyncDisposable {
  readonly pid: number
  /** What has been done to it. */
  heard(): readonly string[]
}

/** A process that says each signal that reaches it; SIGKILL and SIGSTOP are seen by what becomes of it. */
export async function startBystander(): Promise<Bystander> {
  const child = startChild(new URL('./children/bystander.mjs', import.meta.url))
  await child.event('there')
  const process = processOf(child.pid)
  return {
    pid: child.pid,
    heard() {
      const signals = [...child.stdout().matchAll(/"event":"signalled","signal":"(\w+)"/g)].map(([, name]) => name)
      if (process === undefined || !isThere(process)) signals.push('SIGKILL, or another end')
      return signals.map((name) => `with the pid of a recorded process got ${name}`)
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}
