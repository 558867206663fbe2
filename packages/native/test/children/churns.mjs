// Claims and releases slots of a pool of ofdRange(), `rounds` times, and fails if another process has the same slot: whoever has one
// has a file of its number in `marks`. Its argument is { dir, marks, rounds } as JSON.
import { closeSync, openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ofdRange } from '@procref/native'
import { obey, say, sayFailed } from '@procref/testing/child'

const { dir, marks, rounds } = JSON.parse(process.argv[2])

async function main() {
  const pool = await ofdRange().open(dir)
  obey({
    async go() {
      for (let n = 0; n < rounds; n++) {
        const slot = await pool.tryClaim()
        if (slot === undefined) throw new Error('said that all slots are in use, and five were free at any time')
        const mark = join(marks, String(slot.id))
        closeSync(openSync(mark, 'wx'))
        unlinkSync(mark)
        await slot.release()
      }
      say('done')
    },
  })
  say('ready')
}

main().catch(sayFailed)
