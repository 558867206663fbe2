// Measures the subjects in its arguments as `procref bench` does, again and again, so that it is always in the middle: SIGINT calls it off. Says
// `measuring` when the first is being measured. It also ends when its parent has, which cannot kill it any more.
import { say } from '@procref/testing/child'
import { runBenchmarks } from '../../dist/run.js'

const parent = process.ppid
const calledOff = new AbortController()
// Once, as the command does: whoever else listens is alone from then on.
process.once('SIGINT', () => calledOff.abort(new Error('called off')))

try {
  while (process.ppid === parent) {
    await runBenchmarks({
      scale: 'guard',
      subjects: process.argv.slice(2),
      services: [],
      only: ['uncontended'],
      signal: calledOff.signal,
      onProgress: ({ title, message }) => say(title === 'Preparing' ? 'preparing' : 'measuring', { message }),
    })
  }
} catch (error) {
  say('stopped', { message: error.message })
}
