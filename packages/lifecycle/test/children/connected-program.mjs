// A program that connects, closes and then just ends. Argument: JSON with url, user, password and what happens before the close:
// nothing, or `lost` (the server is killed first: its pid is `pid`). Says what then still keeps it alive.
import { say } from '@procref/testing/child'
import { openConnection } from '../../dist/surreal/connection.js'

const { url, user, password, lost, pid } = JSON.parse(process.argv[2])
const connection = await openConnection({
  url,
  namespace: 'main',
  database: 'main',
  credentials: () => ({ user, password }),
  prove: () => {},
  signal: AbortSignal.timeout(60_000),
})
const live = await connection.db.query('LIVE SELECT * FROM thing').then(
  () => true,
  () => false,
)
if (lost) {
  const dropped = new Promise((resolve) => connection.onDropped(resolve))
  process.kill(pid, 'SIGKILL')
  await dropped
}
await connection.close()
// Of streams only; a handle that was destroyed just now is still listed.
setImmediate(() => {
  const kept = process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|TTYWrap|Immediate)$/.test(name))
  say('closed', { kept, live })
})
