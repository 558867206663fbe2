import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { atEnd, freshDir, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'

test.runIf(process.platform === 'linux')(
  'server.lock is given back when the recorded server cannot be looked at for want of a descriptor',
  async () => {
    const dir = `${freshDir()}/service`
    mkdirSync(`${dir}/data`, { recursive: true, mode: 0o700 })
    const program = fileURLToPath(new URL('../children/server-lock-without-descriptors.mjs', import.meta.url))
    const child = atEnd(startProgram('prlimit', { args: ['--nofile=100', process.execPath, program, dir] }))
    expect(await child.event('refused')).toMatchObject({ code: 'EMFILE' })
    expect(await child.event('obtained')).toMatchObject({ isCurrent: true })
  },
)
