#!/usr/bin/env node
// What can be said before the command is loaded: that it cannot be.
import { closeSync, openSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Node reads all files of the command at once. Without them it calls packages missing that are there, and prints where in itself it failed. */
const DESCRIPTORS_TO_LOAD = 40

try {
  needDescriptors(DESCRIPTORS_TO_LOAD)
  const { main } = await import('../dist/cli/main.js')
  main(process.argv)
} catch (error) {
  if (error.code !== 'EMFILE' && error.code !== 'ENFILE') throw error
  const code = 'PROCREF_TOO_MANY_OPEN_FILES'
  const message = `Could not load the command (${error.code}). Close what is not needed, or raise the limit (\`ulimit -n\`).`
  if (process.argv.includes('--json')) writeSync(1, `${JSON.stringify({ error: { code, message } })}\n`)
  writeSync(2, `procref: ${message}\n`)
  process.exitCode = 1
}

function needDescriptors(count) {
  const own = fileURLToPath(import.meta.url)
  const opened = []
  try {
    while (opened.length < count) opened.push(openSync(own, 'r'))
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}
