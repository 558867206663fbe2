import { readFileSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { flock } from '@procref/flock'
import { connect, external, surrealBinary } from '@procref/lifecycle'
import { atEnd, freshDir, startProgram, surrealBinary as surrealInTests } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { PASSWORD, startReal, USER } from '../../packages/embedded/test/server.ts'
import { serviceDir } from './service.ts'

const page = readFileSync(new URL('../../docs/scaling.md', import.meta.url), 'utf8')
const PROCREF = fileURLToPath(new URL('../../packages/procref/bin/procref.js', import.meta.url))

/** What stands in the page in this language, with its indentation taken off. */
function blockOf(language: string): string {
  const block = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? expect.unreachable(language)
  return block.replace(/^ {3}/gm, '')
}

test.runIf(surrealInTests() !== undefined)(
  'the way of docs/scaling.md from one machine to a server elsewhere, with its own commands: every row is there',
  async () => {
    const surreal = surrealInTests() ?? ''
    const dir = serviceDir()
    const here = await connect({ dir, backend: flock(), driver: surrealBinary({ path: surreal }), lingerMs: 500 })
    onTestFinished(() => here.close())
    await here.db.query(
      "FOR $n IN 0..100 { CREATE type::record('item', $n) SET price = $n, seen = time::now(), name = 'ä' + <string>$n }",
    )
    const [rows] = await here.db.query('SELECT *, <string>id AS id FROM item ORDER BY price')
    const server = atEnd((await startReal()) ?? expect.unreachable())
    const address = `http://127.0.0.1:${server.port}`
    const administrator = await connect({
      dir,
      backend: flock(),
      driver: external({ url: address, credentials: { user: USER, password: PASSWORD } }),
    })
    onTestFinished(() => administrator.close())
    await administrator.db.query(blockOf('sql').replace('…', 'of-the-programs'))

    const bin = freshDir()
    symlinkSync(surreal, `${bin}/surreal`)
    symlinkSync(PROCREF, `${bin}/procref`)
    const commands = blockOf('sh').replace('https://db.example.com:8000', address)
    const moving = atEnd(
      startProgram('sh', {
        args: ['-e', '-c', commands],
        cwd: freshDir(),
        env: {
          PATH: `${bin}:${process.env.PATH}`,
          PROCREF_DIR: dir,
          SURREAL_USER: USER,
          SURREAL_PASS: PASSWORD,
        },
      }),
    )
    expect(await moving.exited, moving.stderr()).toEqual({ code: 0, signal: null })

    const shop = { namespace: 'shop', database: 'shop' }
    const programs = await connect({
      dir,
      backend: flock(),
      driver: external({ url: address, credentials: { user: 'programs', password: 'of-the-programs', ...shop } }),
      ...shop,
    })
    onTestFinished(() => programs.close())
    expect(await programs.db.query('SELECT *, <string>id AS id FROM item ORDER BY price')).toEqual([rows])
    expect(rows).toHaveLength(100)
  },
)
