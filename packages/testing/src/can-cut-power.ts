import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { isRoot } from './other-user.ts'

const PROGRAMS = ['cp', 'date', 'fsfreeze', 'losetup', 'mkfs.ext4', 'mount', 'umount']
/** The number of CAP_SYS_ADMIN: root of a container often has not got it. */
const MAY_MOUNT = 21n

let answer: { readonly obstacle: string | undefined } | undefined

/** Whether `mountDrive()` works here; said once, loudly, when it does not, because what needs it then does not run. */
export function canCutPower(): boolean {
  if (answer === undefined) {
    answer = { obstacle: obstacle() }
    if (answer.obstacle !== undefined) console.warn(`NOT RUN: power cuts, because ${answer.obstacle}`)
  }
  return answer.obstacle === undefined
}

function obstacle(): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}`
  if (!isRoot()) return 'we are not root'
  const [, capabilities = '0'] = /^CapEff:\s*([\da-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  if (((BigInt(`0x${capabilities}`) >> MAY_MOUNT) & 1n) === 0n) return 'this container may not mount (CAP_SYS_ADMIN)'
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices'
  const missing = PROGRAMS.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0)
  return missing.length === 0 ? undefined : `there is no ${missing.join(', ')}`
}
