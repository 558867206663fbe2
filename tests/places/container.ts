import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { atEnd, type Child, startProgram } from '@procref/testing'

const CLIENT = resolve(import.meta.dirname, '../service/children/client.mjs')

/** What a container may have of its own: process numbers with a /proc that shows them, a network. */
const NAMESPACES = {
  pids: ['--pid', '--fork', '--kill-child', '--mount-proc'],
  'pids, without a /proc of them': ['--pid', '--fork', '--kill-child'],
  network: ['--net'],
} as const

export type Namespace = keyof typeof NAMESPACES

/** Whether containers can be made here, as root on Linux with unshare(1) and ip(8). */
export function canContain(): boolean {
  const ip = ['sh', '-c', 'ip link set lo up']
  return spawnSync('unshare', [...NAMESPACES.pids, ...NAMESPACES.network, ...ip], { stdio: 'ignore' }).status === 0
}

/**
 * A client in namespaces of its own, in which there is nobody else, on the same file system. Its end is the end of all that it has
 * started there. `killed()` ends the first process of it, and so all of them.
 */
export function startContained(
  namespaces: readonly Namespace[],
  dir: string,
  options: Readonly<Record<string, unknown>> = {},
): Child {
  const client = [process.execPath, CLIENT, dir, JSON.stringify({ lingerMs: 500, ...options })]
  // As every container has it; a network namespace that is new has not.
  const command = namespaces.includes('network')
    ? ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...client]
    : client
  return atEnd(startProgram('unshare', { args: [...namespaces.flatMap((name) => NAMESPACES[name]), ...command] }))
}
