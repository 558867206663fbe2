import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { endDirectory, freshDir, startChild, surrealBinary } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'

const BUILD = fileURLToPath(new URL('../src/build.mjs', import.meta.url))

if (surrealBinary() === undefined) console.warn('NOT RUN without a surreal executable: the bundled example')

test.runIf(surrealBinary() !== undefined)(
  'what the README builds runs from a folder without packages, and counts',
  async () => {
    const folder = freshDir()
    const dir = `${freshDir()}/service`
    onTestFinished(() => endDirectory(dir))
    execFileSync(process.execPath, [BUILD, folder], { stdio: 'ignore' })
    expect(readdirSync(folder).toSorted()).toEqual([
      'app.mjs',
      'guardian.mjs',
      expect.stringMatching(/^procref-native\..+\.node$/),
    ])
    for (const visit of [1, 2]) {
      await using app = startChild(`${folder}/app.mjs`, { env: { PROCREF_DIR: dir }, cwd: '/' })
      expect(await app.line()).toContain(`visit ${visit}, server pid `)
      expect(await app.exited).toEqual({ code: 0, signal: null })
    }
  },
)
