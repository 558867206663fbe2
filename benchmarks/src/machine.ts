import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import type { Machine } from './results.ts'

const FILESYSTEMS: { readonly [type: number]: string } = {
  61267: 'ext4',
  16914836: 'tmpfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
}

/** `home` is where the measured files lie. */
export function describeMachine(home: string): Machine {
  const { type } = statfsSync(home)
  return {
    cpus: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`,
    filesystem: FILESYSTEMS[type] ?? `type 0x${type.toString(16)}`,
    node: process.versions.node,
    virtualization: virtualization(),
  }
}

function virtualization(): string {
  if (!existsSync('/proc/cpuinfo')) return 'not told'
  return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'latin1')) ? 'virtual machine' : 'none seen'
}
