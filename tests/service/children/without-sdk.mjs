// Could not load what connect() needs, as no descriptor was left; there are some again when it connects. args: dir, the time-out in ms.
import { closeSync } from 'node:fs'
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { connect } from '@procref/lifecycle'
import { say, sayFailed } from '@procref/testing/child'
import { leaveDescriptors } from './few-descriptors.mjs'

const [, , dir, timeoutMs] = process.argv
const used = leaveDescriptors(0)
const refused = await import('../../../packages/lifecycle/dist/surreal/engine.js').catch((error) => error)
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
