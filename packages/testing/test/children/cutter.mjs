// Mounts a drive, says where, and cuts its power again and again.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { say } from '@procref/testing/child'
import { mountDrive } from '../../dist/drive.js'

const drive = await mountDrive({ bytes: 64 * 1024 * 1024 })
say('mounted', { path: drive.path })
process.stdin.on('end', () => process.exit(0)).resume()
for (let n = 0; ; n++) {
  writeFileSync(join(drive.path, 'file'), String(n))
  const cut = await drive.powerCut()
  await cut[Symbol.asyncDispose]()
  say('cut')
}
