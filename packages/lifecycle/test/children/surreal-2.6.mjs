#!/usr/bin/env node
// Says and answers what SurrealDB 2.6 does while it is started: its version, no /ready, an authenticated query. Writes down what it was
// told, without the password.
import { createServer } from 'node:http'

const [word, ...args] = process.argv.slice(2)

function start() {
  const { SURREAL_USER, SURREAL_PASS, ...env } = process.env
  const told = Object.entries(env).filter(([name]) => name.startsWith('SURREAL_'))
  console.log(JSON.stringify({ args, env: Object.fromEntries(told) }))
  const [host, port] = args
    .find((arg) => arg.startsWith('--bind='))
    .slice('--bind='.length)
    .split(':')
  const owner = `Basic ${Buffer.from(`${SURREAL_USER}:${SURREAL_PASS}`).toString('base64')}`
  createServer(({ url, headers }, response) => {
    console.log(JSON.stringify({ url }))
    if (url === '/health') return response.end()
    if (url === '/version') return response.end('surrealdb-2.6.5')
    if (url === '/sql' && headers.authorization === owner) return response.end('[{"status":"OK"}]')
    response.writeHead(url === '/sql' ? 401 : 404).end()
  }).listen(Number(port), host)
}

if (word === 'version') console.log('2.6.5 for linux on x86_64')
else start()
