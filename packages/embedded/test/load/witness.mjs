// A client that asks a small question again and again, and says how long its answers took: `measure` begins, `stop` ends.
import { obey, say } from '@procref/testing/child'
import { connectRaw } from './connect.mjs'

const client = await connectRaw(Number(process.argv[2]))
/** Between an answer and the next question: most of the time it asks nothing, as programs do. */
const PAUSE_MS = 2
let took = []
let measuring = false

async function ask() {
  while (measuring) {
    const began = performance.now()
    await client.query('RETURN $x + 1', { x: took.length })
    took.push(performance.now() - began)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

let asking
obey({
  measure: () => {
    took = []
    measuring = true
    asking = ask()
    say('measuring')
  },
  stop: async () => {
    measuring = false
    await asking
    const sorted = took.toSorted((a, b) => a - b)
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
    say('measured', { answers: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) })
  },
})
say('ready')
