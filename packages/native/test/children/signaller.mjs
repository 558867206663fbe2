// Sends SIGTERM to the recorded process argv[2], natively, in JavaScript, and as the guardian does with both.
import { say } from '@procref/conformance/harness'
import { native } from '@procref/native'
import { signalSame } from '../../../lifecycle/dist/identity/signal.js'

const recorded = JSON.parse(process.argv[2])
const { processes } = native()

function answer(signal) {
  try {
    return signal()
  } catch (error) {
    return error.code
  }
}

say('signalled', {
  native: answer(() => processes.signalSame(recorded, 'SIGTERM')),
  js: answer(() => signalSame(recorded, 'SIGTERM')),
  both: answer(() => signalSame(recorded, 'SIGTERM', processes)),
})
