// Measures the subjects in its arguments as `procref bench` does: SIGINT calls it off. Says `measuring` when the first is being measured.
import { say } from '@procref/testing/child'
import { runBenchmarks } from '../../dist/run.js'

const calledOff = new AbortController()
// Once, as the command does: whoever else listens is alone from then on.
process.once('SIGINT', () => calledOff.abort(new Error('called off')))

try {
  await runBenchmarks({
    scale: 'guard',
    subjects: process.argv.slice(2),
    services: [],
    only: ['uncontended'],
    signal: calledOff.signal,
    onProgress: ({ title, message }) => say(title === 'Preparing' ? 'preparing' : 'measuring', { message }),
  })
  say('finished')
} catch (error) {
  say('stopped', { message: error.message })
}
