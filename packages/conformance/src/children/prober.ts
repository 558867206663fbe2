// A process that does nothing but look at the slots.
import { obey, say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

/** Many, so that it hardly ever does anything else. */
const LOOKS_PER_TURN = 20

async function main(): Promise<void> {
  const { pool } = await openPart(readPart())
  let stopped = false
  let asked = false
  const look = async (): Promise<void> => {
    while (!stopped) {
      for (let n = 0; n < LOOKS_PER_TURN; n++) {
        await pool.held()
        await pool.count()
        await pool.provenEmpty()
      }
      if (asked) {
        asked = false
        say('looked')
      }
      // So that a word can be heard.
      await new Promise((resolve) => setImmediate(resolve))
    }
    say('stopped')
  }
  obey({
    go: () => {
      look().catch(sayFailed)
    },
    // Answered after the next turn.
    ask: () => {
      asked = true
    },
    stop: () => {
      stopped = true
    },
  })
  say('ready')
}

main().catch(sayFailed)
