// `main.js JSON` (see kept-server.ts): runs a server for as long as its standard input is open, so that whoever started it can be killed and
// the server still ends, and then removes its folder. In a session of its own: the Ctrl-C of a terminal reaches whoever waits for the
// measurements first, and the server is stopped when they are over.
import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import type { Kept } from './kept-server.ts'

/** A server that has not stopped by then is killed. */
const PATIENCE_MS = 10_000

const [, , given = ''] = process.argv
const { file, args, env, folder, user, stopWith } = JSON.parse(given) as Kept

const server = spawn(file, [...args], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'], ...user })

function stop(): void {
  server.kill(stopWith)
  setTimeout(() => server.kill('SIGKILL'), PATIENCE_MS).unref()
}

async function end(code: number): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  process.exit(code)
}

process.stdin.on('end', stop).on('error', stop).resume()
process.on('SIGTERM', stop)
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  void end(1)
})
server.on('exit', (code) => void end(code ?? 0))
