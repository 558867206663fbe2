import { existsSync, readdirSync, readFileSync } from 'node:fs'

/**
 * How often this process and those that it started have gone to sleep by themselves, which they do once after each wake: voluntary context
 * switches of all their threads. Undefined where the system does not tell (Linux does, in /proc).
 */
export function sleepsOf(pid: number): number | undefined {
  if (!existsSync('/proc/self/task')) return undefined
  return withDescendants(pid).reduce((sum, one) => sum + sleepsOfProcess(one), 0)
}

/** This process and all that it started, and those that they started. Linux; elsewhere only itself. */
export function withDescendants(pid: number): readonly number[] {
  return [
    pid,
    ...tasks(pid)
      .flatMap((tid) => childrenOf(pid, tid))
      .flatMap(withDescendants),
  ]
}

function sleepsOfProcess(pid: number): number {
  return tasks(pid).reduce((sum, tid) => {
    const status = readIfThere(`/proc/${pid}/task/${tid}/status`)
    return sum + Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? 0)
  }, 0)
}

function childrenOf(pid: number, tid: string): readonly number[] {
  return readIfThere(`/proc/${pid}/task/${tid}/children`).split(' ').filter(Boolean).map(Number)
}

function tasks(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    // It has ended.
    return []
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // A thread that has ended, or a kernel without this file.
    return ''
  }
}
