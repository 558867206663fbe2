// Waits for a slot to be free that never is, with nothing else to do.
import { fileSlots } from '@procref/core'

const heldFile = {
  path: 'held',
  probe: () => 'held',
  isCurrent: () => true,
  close() {},
}
const backend = fileSlots({
  name: 'test',
  locker: { tryLock: () => undefined, watch: () => heldFile },
  guarantees: { platforms: [process.platform] },
  descriptor: { module: 'file:///nowhere', factory: 'none', options: null },
})
const pool = await backend.open(process.argv[2])
pool.whenEmpty()
console.log(JSON.stringify({ event: 'waits' }))
