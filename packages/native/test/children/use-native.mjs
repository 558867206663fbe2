// Asks native() what it can do, and opens a pool; prints one line.
import { existsSync } from 'node:fs'
import { native } from '@procref/native'

const [, , dir] = process.argv
const backend = native()
const support = await backend.support(dir)
const error = await backend.open(dir).then(
  () => ({ code: 'none', message: 'it was opened' }),
  (failure) => failure,
)
console.log(JSON.stringify({ event: 'done', support, code: error.code, message: error.message, made: existsSync(dir) }))
