// A pool of ofdRange() that looks at each of its slots before each claim, for some ten nanoseconds.
import { ofdRange } from '@procref/native'
import { backendPool } from '../../dist/subjects/pools/backend-pool.js'

/** Once through so little would be less than what a busy machine takes from either side. */
const LOOKS = 10

export async function open(dir, slots) {
  const pool = await backendPool(ofdRange(), dir, slots)
  const table = new Float64Array(slots)
  return {
    ...pool,
    tryClaim() {
      let sum = 0
      for (let looks = 0; looks < LOOKS; looks++) for (const entry of table) sum += entry
      if (sum !== 0) throw new Error('nothing was ever written into the table')
      return pool.tryClaim()
    },
  }
}
