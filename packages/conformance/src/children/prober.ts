// A process that does nothing but look at the slots.
import { obey, say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

async function main(): Promise<void> {
  const { pool } = await openPart(readPart())
  let looks = 0
  let stopped = false
  const look = async (): Promise<void> => {
    while (!stopped) {
      await pool.held()
      await pool.count()
      await pool.provenEmpty()
      if (looks === 0) say('looking')
      looks += 3
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
