// What run.mjs starts on the other platform: `program.mjs OUTPUT [BEHAVIOUR...]`. Shows by itself what matters most, then checks the
// claims of the conformance suite, one after the other, and writes what it found to OUTPUT.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { native } from '@procref/native'

const HANGS_MS = 120_000
/** Enough to show turns; the machines that this runs on are slow. */
const STRESS_CLAIMS = 500

const [output, ...only] = process.argv.slice(2)
// Not by the package's name, behind which is the test runner.
const inSuite = (file) => import(new URL(`./node_modules/@procref/conformance/dist/${file}`, import.meta.url))
const { findFailures } = await inSuite('check.js')
const { behaviours } = await inSuite('behaviours/index.js')

await showTheBasics()

let claims = 0
const failed = []
const notes = []
for (const behaviour of behaviours) {
  if (only.length > 0 && !only.includes(behaviour.name)) continue
  const backend = native()
  const checked = behaviour.claims(backend).length
  claims += checked
  const onNote = (_, claim, note) => notes.push(`${behaviour.name}: ${claim.title}: ${note}`)
  const failures = await findFailures(backend, { behaviours: [behaviour], stressClaims: STRESS_CLAIMS, onNote })
  for (const { claim, error } of failures) {
    failed.push(`${behaviour.name}: ${claim}`)
    console.log(`NOT TRUE: ${claim}\n${error?.stack ?? error}`)
  }
  console.log(`${behaviour.name}: ${checked} claims, ${failures.length} not true`)
}
for (const note of notes) console.log(note)
const found = {
  node: process.version,
  conformance: { ...(only.length > 0 && { behaviours: only }), claims, notTrue: failed },
}
writeFileSync(output, JSON.stringify(found))
process.exit(0)

async function showTheBasics() {
  const dir = join(mkdtempSync(join(tmpdir(), 'procref-basics-')), 'slots')
  const pool = await native().open(dir, { slots: 1 })
  const holder = await peer(dir)
  assert.equal(await holder.ask('tryClaim'), 0)
  assert.equal(await pool.tryClaim(), undefined, 'two processes hold one slot')
  const [held] = await pool.held()
  assert.equal(held?.pid, holder.pid, 'the PID in a held slot cannot be read')
  console.log('exclusion between two processes, and the PID readable while it is held: seen')

  const tooLong = new AbortController()
  const waits = pool.claim({ timeoutMs: HANGS_MS, signal: tooLong.signal })
  tooLong.abort(new Error('not wanted any more'))
  await assert.rejects(waits, /not wanted any more/)
  console.log('a wait that was called off ends: seen')

  const next = pool.claim({ timeoutMs: HANGS_MS })
  await holder.kill()
  const slot = await next
  await slot.verify()
  console.log('a waiting claim gets the slot of a process that was killed: seen')

  await slot.release()
  const last = await peer(dir)
  assert.equal(await last.ask('tryClaim'), 0, 'something of the wait that was called off is left')
  await last.kill()
  await pool.close()
  rmSync(join(dir, '..'), { recursive: true })
}

async function peer(dir) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'peer.mjs'), dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { value: pid } = await lines.next()
  return {
    pid: JSON.parse(pid),
    async ask(word) {
      child.stdin.write(`${word}\n`)
      return JSON.parse((await lines.next()).value)
    },
    async kill() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
