// Listens, and says what is proven of another process on that port: while it lives, and once it is a zombie.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { identify } from '@procref/core'
import { commandLine, eventually, processState } from '@procref/testing'
import { say, sayFailed } from '@procref/testing/child'
import { proveListener } from '../../dist/identity/listener.js'

async function main() {
  // The shell becomes a program that never reaps the child it had.
  const parent = spawn('/bin/sh', ['-c', 'sleep 300 & echo $!; exec tail -f /dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise((resolve) => createInterface({ input: parent.stdout }).once('line', resolve))
  const pid = Number(line)
  // Before that the parent is a shell, which would collect its child.
  await eventually('the parent collects no children', () => commandLine(parent.pid)[0] === 'tail')
  const server = identify(pid)
  const listener = createServer()
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address()
  const alive = proveListener({ port, server })
  process.kill(pid, 'SIGKILL')
  await eventually('it is a zombie', () => processState(pid)?.state === 'Z')
  const zombie = proveListener({ port, server })
  parent.kill('SIGKILL')
  listener.close()
  say('proofs', { alive, zombie })
}

main().catch(sayFailed)
