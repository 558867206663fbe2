// Asks flock() whether it works in the directory of its first argument, opens a pool, and says what it was told.
import { existsSync } from 'node:fs'
import { flock } from '@procref/flock'

const dir = process.argv[2]
const backend = flock()
const support = await backend.support(dir)
let told = { code: 'opened' }
try {
  await backend.open(dir)
} catch ({ code, message }) {
  told = { code, message }
}
console.log(JSON.stringify({ event: 'done', support, ...told, made: existsSync(dir) }))
