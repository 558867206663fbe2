import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endDirectory } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { copyOfInstallation } from '../../service/installation.ts'
import { connected, counted, killed, serviceDir, wroteRow } from '../../service/service.ts'
import { clientsOfInstallation } from '../../service/versions.ts'
import { BUGS } from './bugs.ts'
import { plant } from './plant.ts'

/** Of each bug it takes an installation and two clients: in CI some of them. */
const here = BUGS.filter((_, n) => n % 5 === 0 || process.env.PROCREF_EVERY_PLANTED_BUG === '1')

describe('an installation with a bug planted in it', () => {
  test.each(here.map((bug) => [bug.name, bug] as const))(
    'passes for well as long as nothing goes wrong around it: %s',
    async (_name, bug) => {
      const dir = serviceDir()
      const start = clientsOfInstallation(plant(bug, 'tests/service/children'))
      const client = start(dir, { driver: 'embedded' })
      await connected(client)
      await wroteRow(client)
      const other = start(dir, { driver: 'embedded' })
      await connected(other)
      expect(await counted(other)).toBe(1)
      await Promise.all([killed(client), killed(other)])
      await endDirectory(dir)
    },
  )

  test('is there for each of them: the text that it replaces is in the code as it is now, once', () => {
    const installation = copyOfInstallation('tests/service/children')
    for (const bug of BUGS) {
      const path = join(installation.folder, 'packages', bug.package, bug.file)
      const before = readFileSync(path)
      installation.replace(bug)
      writeFileSync(path, before)
    }
  })

  test('names, and no text, are there twice', () => {
    expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length)
    expect(new Set(BUGS.map(({ by, text }) => `${text} → ${by}`)).size).toBe(BUGS.length)
  })

  test.each([
    ['is gone', 'nothing like this', 0],
    ['is there twice', 'import', 2],
  ])('a bug whose text %s is not planted: an error names it, the file and how often', (_what, text, least) => {
    const [first] = BUGS
    const bug = { ...(first ?? expect.unreachable()), text }
    expect(() => plant(bug, 'tests/service/children')).toThrow(
      new RegExp(
        `'${bug.name}' cannot be planted: packages/${bug.package}/${bug.file}: .* ${least === 0 ? '0' : '[2-9]\\d*|1\\d+'} times`,
      ),
    )
  })
})
