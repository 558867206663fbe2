/**
 * The guardian's program. Usage: `node main.js <GuardianSetup as JSON>`, descriptor 3 = status pipe, output = server.log.
 * Started by launcher.js only.
 */
import { closeSync, writeSync } from 'node:fs'
import { serializeError } from '../state/serialized-error.ts'
import { runGuardian } from './guardian.ts'
import { type GuardianSetup, type GuardianStatus, STATUS_FD } from './setup.ts'

let reported = false

/** One line, then the pipe is closed: a client must not wait for our end, nor a CI step for the pipe's. */
function report(status: GuardianStatus): void {
  if (reported) return
  reported = true
  try {
    writeSync(STATUS_FD, `${JSON.stringify(status)}\n`)
  } catch {
    // The client that launched us is gone. Its slot is free then, and the linger ends us if nobody else came.
  }
  closeSync(STATUS_FD)
}

function leave(error: unknown): never {
  process.stderr.write(`procref guardian ${process.pid}: ${error instanceof Error ? error.stack : String(error)}\n`)
  report({ kind: 'error', error: serializeError(error) })
  process.exit(1)
}

const told = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => told.abort(new Error(`the guardian received ${signal}`)))
}
process.on('uncaughtException', leave)
process.on('unhandledRejection', leave)

const setup = JSON.parse(process.argv[2] ?? '') as GuardianSetup
process.title = `procref guardian ${setup.dir}`
// process.exit, not a natural end: an engine's threads can keep the process, and its death is what frees the locks.
runGuardian(setup, told.signal, report).then(() => process.exit(0), leave)
