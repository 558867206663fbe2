import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadTrouble } from '@procref/core'
import { atEnd, freshDir, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'

function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

test.each([
  ['EMFILE', 'EMFILE: too many open files, open', 'PROCREF_TOO_MANY_OPEN_FILES'],
  ['ERR_DLOPEN_FAILED', '/x.node: cannot open shared object file: Too many open files', 'PROCREF_TOO_MANY_OPEN_FILES'],
  ['ERR_DLOPEN_FAILED', '/x.node: failed to map segment from shared object', 'PROCREF_OUT_OF_MEMORY'],
  ['ERR_DLOPEN_FAILED', '/x.node: cannot map zero-fill pages: Cannot allocate memory', 'PROCREF_OUT_OF_MEMORY'],
])('what the system did not get to is its own error (%s, %s)', (code, message, ours) => {
  expect(loadTrouble(refusal(code, message), '/x.node')).toMatchObject({ code: ours, path: '/x.node' })
})

test.each([
  ['ERR_DLOPEN_FAILED', '/x.node: invalid ELF header'],
  ['MODULE_NOT_FOUND', "Cannot find module 'x'"],
  ['ERR_MODULE_NOT_FOUND', "Cannot find package 'x'"],
  ['ENOENT', 'no such file'],
])('a module that is missing or unusable is none of it (%s, %s)', (code, message) => {
  expect(loadTrouble(refusal(code, message), '/x.node')).toBeUndefined()
})

test.runIf(process.platform === 'linux')(
  'without a descriptor no installed package is taken for a bundle, and no module for missing',
  async () => {
    const folder = freshDir()
    writeFileSync(join(folder, 'package.json'), '{"name":"@procref/some"}')
    writeFileSync(join(folder, 'index.mjs'), 'export const make = () => 7')
    const program = fileURLToPath(new URL('./children/without-descriptors.mjs', import.meta.url))
    const args = ['--nofile=100', process.execPath, program, join(folder, 'index.mjs')]
    const child = atEnd(startProgram('prlimit', { args }))
    const code = 'PROCREF_TOO_MANY_OPEN_FILES'
    expect(await child.event('told')).toMatchObject({
      described: { code, path: join(folder, 'package.json') },
      rebuilt: { code },
      missing: { code },
    })
  },
)
