import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { atEnd, freshDir, servantsOf, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { connected, serviceDir } from '../service/service.ts'

test('a client that believes to be on Windows is refused, and starts nothing', async () => {
  const dir = serviceDir()
  const disguise = join(freshDir(), 'disguise.mjs')
  writeFileSync(disguise, "Object.defineProperty(process, 'platform', { value: 'win32' })")
  const options = JSON.stringify({ driver: 'embedded', backend: 'lockfile' })
  const client = atEnd(
    startChild(new URL('./children/app.mjs', import.meta.url), {
      args: [dir, options],
      execArgv: ['--import', disguise],
    }),
  )
  await expect(connected(client)).rejects.toThrow(/the system is win32.*PROCREF_IDENTITY_UNAVAILABLE/s)
  expect(existsSync(`${dir}/server.log`)).toBe(false)
  expect(servantsOf(dir)).toEqual([])
})
