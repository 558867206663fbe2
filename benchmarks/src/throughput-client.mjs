// A client of `throughput.mjs`, with the official SDK: `run IN_FLIGHT MS` is answered with `ran QUERIES MS CPU_US`.
import { createInterface } from 'node:readline'
import { Surreal } from 'surrealdb'
import WebSocket from 'ws'

const [port, username, password] = process.argv.slice(2)
const db = new Surreal({ websocketImpl: WebSocket })
await db.connect(`ws://127.0.0.1:${port}`, {
  namespace: 'main',
  database: 'main',
  versionCheck: false,
  authentication: { username, password },
})
console.log('connected')
for await (const line of createInterface({ input: process.stdin })) {
  const [, inFlight, forMs] = line.split(' ').map(Number)
  const cpu = process.cpuUsage()
  const began = performance.now()
  let queries = 0
  const ask = async () => {
    for (; performance.now() - began < forMs; queries++) {
      const [result] = await db.query('RETURN $x + 1', { x: queries })
      if (typeof result !== 'number') throw new Error(`the server answered ${result}`)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, ask))
  const took = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  console.log(`ran ${queries} ${took} ${user + system}`)
}
await db.close()
