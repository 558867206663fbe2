import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, type ChildOptions, eventually, startProgram } from '@procref/conformance/harness'
import { isRoot } from './other-user.ts'
import { isAlive } from './proc.ts'
import { undoAfterwards } from './watcher.ts'

let found: { readonly root: string | undefined } | undefined

/** Where the second version of control groups is mounted, if groups in it can be killed (Linux 5.14) and are ours to make. */
function controlGroups(): string | undefined {
  found ??= { root: findControlGroups() }
  return found.root
}

function findControlGroups(): string | undefined {
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

/** Whether `makeControlGroup` works here. */
export function canGroup(): boolean {
  return controlGroups() !== undefined
}

/** Processes that systemd, or a container's runtime, ends together: a session's scope, a service, a container. */
export interface ControlGroup extends AsyncDisposable {
  /** Starts a program in it, which enters it before its first own step; whatever that starts is in it as well. Ended with the group. */
  start(file: string, options?: ChildOptions): Child
  pids(): readonly number[]
  /** All that was started in it stands still, as on a machine that sleeps, although the clock goes on. Resolves when the kernel says so. */
  freeze(): Promise<void>
  thaw(): void
  /** All of it is killed by one act of the kernel, without a moment in which one could notice the end of another. */
  kill(): void
  /** Resolves when nobody is in it any more. */
  empty(): Promise<void>
}

let made = 0

/** Disposing it kills who is in it and removes it, and so does the end of this program, whatever it is. Caller: only where `canGroup()`. */
export function makeControlGroup(): ControlGroup {
  const root = controlGroups()
  if (root === undefined) throw new Error('there are no control groups that can be killed')
  const path = join(root, `procref-test-${process.pid}-${++made}`)
  // Told before, as freeze() does: frozen with nobody to thaw them its processes would be there for ever.
  undoAfterwards(`group ${path}`)
  mkdirSync(path)
  const started: Child[] = []
  const onTheirWay = new Set<number>()
  const says = (line: RegExp): boolean => line.test(readFileSync(join(path, 'cgroup.events'), 'utf8'))
  const group: ControlGroup = {
    start(file, { args = [], ...options } = {}) {
      const entered = ['-c', `echo $$ > ${path}/cgroup.procs && exec "$@"`, 'sh', file, ...args]
      const child = startProgram('sh', { ...options, args: entered })
      started.push(child)
      onTheirWay.add(child.pid)
      return child
    },
    pids: () => readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
    kill: () => writeFileSync(join(path, 'cgroup.kill'), '1'),
    async freeze() {
      // An empty group is frozen at once, while the first program is still on its way into it.
      await eventually(`all that was started is in ${path}`, () => {
        const inside = new Set(group.pids())
        for (const pid of onTheirWay) if (inside.has(pid) || !isAlive(pid)) onTheirWay.delete(pid)
        return onTheirWay.size === 0
      })
      writeFileSync(join(path, 'cgroup.freeze'), '1')
      await eventually(`${path} is frozen`, () => says(/^frozen 1$/m))
    },
    thaw: () => writeFileSync(join(path, 'cgroup.freeze'), '0'),
    async empty() {
      await eventually(`${path} is empty`, () => says(/^populated 0$/m))
    },
    async [Symbol.asyncDispose]() {
      // Also of a group that is frozen.
      group.kill()
      await Promise.all(started.map((child) => child[Symbol.asyncDispose]()))
      await group.empty()
      rmdirSync(path)
    },
  }
  return group
}
