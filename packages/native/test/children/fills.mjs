// Holds so many slots of a pool of ofdRange(): its argument is { dir, slots, count, label } as JSON.
import { ofdRange } from '@procref/native'
import { obey, say, sayFailed } from '@procref/testing/child'

const { dir, slots, count, label } = JSON.parse(process.argv[2])

async function main() {
  const pool = await ofdRange().open(dir, { slots, label })
  for (let n = 0; n < count; n++) await pool.claim()
  obey({ close: () => pool.close().then(() => say('closed')) })
  say('holding')
}

main().catch(sayFailed)
