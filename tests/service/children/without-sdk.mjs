// Could not load what connect() needs, as no descriptor was left; there are some again when it connects. args: dir, the time-out in ms, what it was.
import { closeSync } from 'node:fs'
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { connect } from '@procref/lifecycle'
import { say, sayFailed } from '@procref/testing/child'
import { isRefusal } from '../../../packages/lifecycle/dist/external/refusal.js'
import { leaveDescriptors } from './few-descriptors.mjs'

const [, , dir, timeoutMs, what] = process.argv
const LOADS = {
  // Its file is not to be opened.
  'our part': () => import('../../../packages/lifecycle/dist/surreal/engine.js'),
  // Node looks for its package.json, which it cannot open, and takes it for one that is not there. Loads nothing else.
  'the package': () => isRefusal(new Error('none')),
}
const used = leaveDescriptors(0)
const refused = await LOADS[what]().catch((error) => error)
for (const fd of used) closeSync(fd)
say('refused', { code: refused.code })
try {
  const lease = await connect({
    dir,
    backend: flock(),
    driver: embeddedSurreal(),
    lingerMs: 500,
    timeoutMs: Number(timeoutMs),
  })
  say('connected')
  await lease.close()
} catch (error) {
  sayFailed(error)
  process.exitCode = 1
}
