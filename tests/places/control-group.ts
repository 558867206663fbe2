import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { atEnd, type Child, eventually, isRoot, startProgram } from '@procref/testing'

const CLIENT = resolve(import.meta.dirname, '../service/children/client.mjs')

/** Where the second version of control groups is mounted, if groups in it can be killed (Linux 5.14) and are ours to make. */
function controlGroups(): string | undefined {
  if (process.platform !== 'linux' || !isRoot()) return undefined
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const mounted = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1]
  if (mounted === undefined) return undefined
  const trial = join(mounted, `procref-test-${process.pid}-trial`)
  try {
    mkdirSync(trial)
  } catch {
    return undefined
  }
  const killable = existsSync(join(trial, 'cgroup.kill'))
  rmdirSync(trial)
  return killable ? mounted : undefined
}

const ROOT = controlGroups()

/** Whether `makeControlGroup` works here. */
export const canGroup: boolean = ROOT !== undefined

/** Processes that systemd, or a container's runtime, ends together: a session's scope, a service, a container. */
export interface ControlGroup extends AsyncDisposable {
  /** Starts a client in it; whatever that starts is in it as well. */
  start(dir: string, options?: Readonly<Record<string, unknown>>): Child
  pids(): readonly number[]
  /** All of it is killed by one act of the kernel, without a moment in which one could notice the end of another. */
  kill(): void
  /** Resolves when nobody is in it any more. */
  empty(): Promise<void>
}

let made = 0

/** Made for the running test, and removed with it. */
export function makeControlGroup(): ControlGroup {
  if (ROOT === undefined) throw new Error('there are no control groups that can be killed')
  const path = join(ROOT, `procref-test-${process.pid}-${++made}`)
  mkdirSync(path)
  const group: ControlGroup = {
    start(dir, options = {}) {
      const client = [process.execPath, CLIENT, dir, JSON.stringify({ lingerMs: 500, ...options })]
      const args = ['-c', `echo $$ > ${path}/cgroup.procs && exec "$@"`, 'sh', ...client]
      return atEnd(startProgram('sh', { args }))
    },
    pids: () => readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
    kill: () => writeFileSync(join(path, 'cgroup.kill'), '1'),
    async empty() {
      await eventually(`${path} is empty`, () =>
        /^populated 0$/m.test(readFileSync(join(path, 'cgroup.events'), 'utf8')),
      )
    },
    async [Symbol.asyncDispose]() {
      group.kill()
      await group.empty()
      rmdirSync(path)
    },
  }
  return atEnd(group)
}
