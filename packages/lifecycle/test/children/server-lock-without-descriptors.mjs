// Obtains server.lock of the directory in its argument when there is one descriptor left: for the lock, and none to look at the server with that the
// record names; then again, with as many as it wants.
import { closeSync } from 'node:fs'
import { identify } from '@procref/core'
import { flock } from '@procref/flock'
import { say, useUpDescriptors } from '@procref/testing/child'
import { obtainServerLock } from '../../dist/guardian/server-lock.js'
import { layout } from '../../dist/state/layout.js'

const paths = layout(process.argv[2])
const { locks } = flock()
// Loads what it needs, as a guardian has.
await locks.tryLock(`${paths.root}/before.lock`).release()
const record = { server: identify(process.ppid) }
const [left, ...others] = useUpDescriptors()
closeSync(left)
await obtainServerLock({ locks }, paths, record, () => {}).catch(({ code, message }) =>
  say('refused', { code, message }),
)
for (const fd of others) closeSync(fd)
const lock = await obtainServerLock({ locks }, paths, undefined, () => {})
say('obtained', { isCurrent: lock.isCurrent() })
