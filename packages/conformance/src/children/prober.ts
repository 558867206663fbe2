// A process that does nothing but look at the slots.
import { obey, say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

/** Many, so that it hardly ever does anything else. */
const LOOKS_PER_TURN = 50

async function main(): Promise<void> {
  const { pool } = await openPart(readPart())
  let looks = 0
  let stopped = false
  const look = async (): Promise<void> => {
    while (!stopped) {
      for (let n = 0; n < LOOKS_PER_TURN; n++) {
        await pool.held()
        await pool.count()
        await pool.provenEmpty()
        looks += 3
      }
      if (looks === 3 * LOOKS_PER_TURN) say('looking')
      // So that the word `stop` can be heard.
      await new Promise((resolve) => setImmediate(resolve))
    }
    say('stopped', { looks })
  }
  obey({
    go: () => {
      look().catch(sayFailed)
    },
    stop: () => {
      stopped = true
    },
  })
  say('ready')
}

main().catch(sayFailed)
