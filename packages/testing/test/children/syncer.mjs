// Makes one small file after the other in a directory (args: its path), each synced before it says so, and removes old ones; a file's content is its name.
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { say } from '@procref/testing/child'

const KEPT = 300
const [, , dir = ''] = process.argv
mkdirSync(dir)
process.stdin.on('end', () => process.exit(0)).resume()
for (let n = 0; ; n++) {
  const fd = openSync(join(dir, String(n)), 'wx')
  writeSync(fd, String(n))
  fsyncSync(fd)
  closeSync(fd)
  say('synced')
  rmSync(join(dir, String(n - KEPT)), { force: true })
  await turn()
}
