// A program with several clients in it. Arguments: `worker`, `fork` or `cluster`; how many; then what each is told. Obeys `<word> <number>`.
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { obey, say } from '@procref/testing/child'

const MEMBER = fileURLToPath(new URL('./member.mjs', import.meta.url))
const [kind, count, ...args] = process.argv.slice(2)

const START = {
  worker: () => {
    const worker = new Worker(MEMBER, { workerData: args })
    return { emitter: worker, send: (word) => worker.postMessage(word), end: () => void worker.terminate() }
  },
  fork: () => processOf(fork(MEMBER, args)),
  cluster: () => {
    cluster.setupPrimary({ exec: MEMBER, args })
    return processOf(cluster.fork().process)
  },
}

function processOf(child) {
  return { emitter: child, send: (word) => child.send(word), end: () => child.kill('SIGKILL') }
}

const words = {}
for (let number = 0; number < Number(count); number++) {
  const { emitter, send, end } = START[kind]()
  emitter.on('message', ({ event, ...more }) => event && say(`${event} ${number}`, more))
  emitter.on('error', (error) => say('failed', { message: error.message, stack: error.stack }))
  emitter.on('exit', () => say(`ended ${number}`))
  words[`end ${number}`] = end
  for (const word of ['row', 'close']) words[`${word} ${number}`] = () => send(word)
}
obey(words)
