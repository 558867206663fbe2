// A pool of ofdRange() that looks through a table of all its slots before each claim.
import { ofdRange } from '@procref/native'
import { backendPool } from '../../dist/subjects/pools/backend-pool.js'

export async function open(dir, slots) {
  const pool = await backendPool(ofdRange(), dir, slots)
  const table = new Float64Array(slots)
  return {
    ...pool,
    tryClaim() {
      let sum = 0
      for (const entry of table) sum += entry
      if (sum !== 0) throw new Error('nothing was ever written into the table')
      return pool.tryClaim()
    },
  }
}
