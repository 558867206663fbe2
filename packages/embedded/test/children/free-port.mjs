import { createServer } from 'node:net'

// Below those of which the kernel gives one to whoever wants any (/proc/sys/net/ipv4/ip_local_port_range): otherwise a client somewhere has it a moment later.
const FIRST_PORT = 20_000
const PORTS = 12_000
const TRIES = 100

/** A port that was free a moment ago, and that only another one who chooses like this can take meanwhile. */
export async function freePort() {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    if (await canListen(port)) return port
  }
  throw new Error(`of ${TRIES} ports from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1} none is free`)
}

function canListen(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
