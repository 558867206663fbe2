// A server that does as told: `listen PORT`, `http PORT`, `status N`, `print TEXT`, `exit N`.
// Its environment variable LOG is the file it prints to.
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createPlainServer } from 'node:net'
import { createInterface } from 'node:readline'
import { say } from '@procref/testing/child'

let status = 503
const answers = {
  listen(port) {
    createPlainServer((socket) => socket.on('error', () => {})).listen(Number(port), '127.0.0.1', () => say('done'))
  },
  http(port) {
    const server = createServer((request, response) => {
      if (request.headers['x-wanted'] !== undefined) status = 299
      response.writeHead(status).end()
    })
    server.listen(Number(port), '127.0.0.1', () => say('done'))
  },
  status(number) {
    status = Number(number)
    say('done')
  },
  print(...words) {
    appendFileSync(process.env.LOG, `${words.join(' ')}\n`)
    say('done')
  },
  exit(code) {
    process.exit(Number(code))
  },
}

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const [word, ...rest] = line.split(' ')
  answers[word](...rest)
})
lines.on('close', () => process.exit(0))
