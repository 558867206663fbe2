// Another user of the machine, who tries all that comes to mind: argv[2] is JSON with the directory, the pids and the port of a service. Whatever it
// gets is in `reached`, and why not in `refused`.
import { spawnSync } from 'node:child_process'
import { openSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { say } from '@procref/testing/child'

const { dir, pids, port } = JSON.parse(process.argv[2])
const reached = []
const refused = {}

async function attempt(what, act) {
  try {
    const got = await act()
    reached.push(`${what}: ${String(got).slice(0, 200)}`)
  } catch (error) {
    refused[what] = String(error.code ?? error.message)
  }
}

const FILES = [
  'server.json',
  'config.json',
  'request.json',
  'journal.ndjson',
  'server.log',
  'guardian.lock',
  'data/server.lock',
  'data/credentials.json',
  'slots/protocol.json',
  'slots/slot_00.lock',
]

await attempt('a public file beside it', () => readFileSync(`${dir}.public`))
await attempt('list the directory', () => readdirSync(dir))
for (const file of FILES) {
  await attempt(`read ${file}`, () => readFileSync(`${dir}/${file}`))
  await attempt(`open ${file} for a lock`, () => openSync(`${dir}/${file}`, 'r+'))
}
await attempt('ask for a stop', () => writeFileSync(`${dir}/request.json`, '{}'))
for (const pid of pids) {
  await attempt(`the environment of ${pid}`, () => readFileSync(`/proc/${pid}/environ`))
  await attempt(`the memory of ${pid}`, () => readFileSync(`/proc/${pid}/mem`))
  await attempt(`a file of ${pid}`, () => readlinkSync(`/proc/${pid}/fd/0`))
  await attempt(`a signal to ${pid}`, () => process.kill(pid, 'SIGTERM'))
}

const url = `http://127.0.0.1:${port}`
const guesses = {
  nobody: {},
  root: basic('root', 'root'),
  ours: basic('procref', 'procref'),
  empty: basic('procref', ''),
}

function basic(user, password) {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

/** Refused is a status, or an error for the statement in place of its result. */
async function ask(path, options) {
  const answer = await fetch(`${url}${path}`, { ...options, signal: AbortSignal.timeout(20_000) })
  const body = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status} ${body.slice(0, 100)}`)
  if (/"status":\s*"ERR"|"error"/.test(body)) throw new Error(body.slice(0, 200))
  return `${answer.status} ${body}`
}

await attempt('that it is there', () => ask('/health', {}))
for (const [name, proof] of Object.entries(guesses)) {
  const headers = { ...proof, 'surreal-ns': 'main', 'surreal-db': 'main', accept: 'application/json' }
  await attempt(`rows, as ${name}`, () => ask('/sql', { method: 'POST', headers, body: 'SELECT * FROM row' }))
  await attempt(`a write, as ${name}`, () => ask('/sql', { method: 'POST', headers, body: 'CREATE row' }))
  await attempt(`an export, as ${name}`, () => ask('/export', { headers }))
  await attempt(`an import, as ${name}`, () => ask('/import', { method: 'POST', headers, body: 'CREATE row' }))
  await attempt(`a key, as ${name}`, () => ask('/key/row', { headers }))
  await attempt(`a call, as ${name}`, () =>
    ask('/rpc', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 1, method: 'query', params: ['SELECT * FROM row'] }),
    }),
  )
}
await attempt('a debugger', () => {
  const { status, stderr } = spawnSync(process.execPath, ['inspect', '-p', String(pids[0])], {
    encoding: 'utf8',
    timeout: 5_000,
  })
  if (status !== 0) throw new Error(stderr.slice(0, 100) || `status ${status}`)
  return 'attached'
})
say('tried', { reached, refused })
