import { readFileSync, statfsSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir } from 'node:os'

const FILESYSTEMS = {
  61267: 'ext4',
  16914836: 'tmpfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
}

/** Where a measurement was made: nothing that names the machine, all that its numbers depend on. */
export function machine() {
  const type = statfsSync(tmpdir()).type
  return {
    date: new Date().toISOString().slice(0, 10),
    cpus: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    kernel: `${process.platform} ${release()}`,
    filesystem: FILESYSTEMS[type] ?? `type 0x${type.toString(16)}`,
    node: process.versions.node,
    // What else ran, and whether it could take the processor from what was measured (`chrt -f 1 node …`).
    load: loadavg()[0],
    priority: isRealTime() ? 'real-time' : 'normal',
  }
}

function isRealTime() {
  if (process.platform !== 'linux') return false
  // Fields from the third on; the 40th is the real-time priority.
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(fields[37]) > 0
}
