// Pins each directory that it is told of, with the size of its first argument; `die-before-link`: gets no further than that.
import { createInterface } from 'node:readline'
import { pinProtocol, systemCalls } from '@procref/core'

const slots = Number(process.argv[2])
const link = () => process.kill(process.pid, 'SIGKILL')
const system = process.argv[3] === 'die-before-link' ? { ...systemCalls, link } : systemCalls

function answer(dir) {
  try {
    return String(pinProtocol(dir, { protocol: 'p', slots }, { system }).slots)
  } catch (error) {
    return error.code ?? String(error)
  }
}

createInterface({ input: process.stdin })
  .on('line', (dir) => console.log(JSON.stringify({ event: 'done', answer: answer(dir) })))
  .on('close', () => process.exit(0))
console.log(JSON.stringify({ event: 'ready' }))
