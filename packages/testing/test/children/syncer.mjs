// Makes one small file after the other in a directory (args: its path), each synced before it says so; its content is its name.
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { say } from '@procref/testing/child'

const [, , dir = ''] = process.argv
mkdirSync(dir)
process.stdin.on('end', () => process.exit(0)).resume()
for (let n = 0; ; n++) {
  const name = `file-${n}`
  const fd = openSync(join(dir, name), 'wx')
  writeSync(fd, name)
  fsyncSync(fd)
  closeSync(fd)
  say('synced')
  await turn()
}
