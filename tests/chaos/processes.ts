import { commandLine, environment, isAlive, processState } from '@procref/testing'

/** A process, whatever becomes of its number later. */
export interface Process {
  readonly pid: number
  readonly startTicks: number
}

/** Undefined when it is gone. */
export function processOf(pid: number): Process | undefined {
  const { startTicks } = processState(pid) ?? {}
  return startTicks !== undefined && isAlive(pid) ? { pid, startTicks } : undefined
}

export function isThere({ pid, startTicks }: Process): boolean {
  return processOf(pid)?.startTicks === startTicks
}

export function isSame(one: Process, other: Process): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks
}

/** False when it is gone. Only for processes of the round. */
export function signal(process_: Process, name: NodeJS.Signals): boolean {
  if (!isThere(process_)) return false
  try {
    return process.kill(process_.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** What a process of procref is, by what it was started with. */
export function roleOf(pid: number): 'guardian' | 'server' | 'other' {
  const env = environment(pid)
  if (env.PROCREF_GUARDIAN !== undefined) return 'guardian'
  return env.PROCREF_INSTANCE === undefined ? 'other' : 'server'
}

/** For people. */
export function described({ pid }: Process): string {
  const command = commandLine(pid).join(' ')
  return `${pid} (${command.length > 80 ? `${command.slice(0, 80)}…` : command || 'gone'})`
}
