import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atEnd, type Child, endDirectory, freshDir, startProgram } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { PASSWORD, startEmbedded, USER } from '../../embedded/test/server.ts'
import { connect, external } from '../dist/index.js'

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))
const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')

/** The example that stands under a heading. */
function documented(heading: string): unknown {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? expect.unreachable(heading)
  return JSON.parse(/```json\n(.*?)\n```/s.exec(section)?.[1] ?? expect.unreachable(heading))
}

/** Names of all fields, at every depth; of a list its first entry's; `evidence` is free. */
function fieldsOf(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return value.length === 0 ? [] : fieldsOf(value[0], `${path}[]`)
  if (typeof value !== 'object' || value === null || path.endsWith('.evidence')) return []
  return Object.entries(value)
    .flatMap(([name, inner]) => [`${path}.${name}`, ...fieldsOf(inner, `${path}.${name}`)])
    .sort()
}

function procref(...args: readonly string[]): Child {
  return atEnd(startProgram(process.execPath, { args: [PROCREF, ...args] }))
}

async function jsonOf(...args: readonly string[]): Promise<unknown> {
  const child = procref(...args)
  await child.exited
  return JSON.parse(child.stdout())
}

test('docs/cli.md shows exactly the fields that each command prints', async () => {
  const dir = `${freshDir()}/service`
  onTestFinished(async () => {
    await endDirectory(dir)
    rmSync(dir, { recursive: true, force: true })
  })
  const check = async (heading: string, ...args: readonly string[]): Promise<void> => {
    expect(fieldsOf(await jsonOf(...args, '--dir', dir)), heading).toEqual(fieldsOf(documented(heading)))
  }
  await check('`procref start --json`', 'start', '--driver', 'embedded', '--json')
  await check('`procref status --json`', 'status', '--json')
  await check('`procref restart --json`', 'restart', '--json')
  await check('`procref ps --json`', 'ps', '--json')
  await check('`procref why --json`', 'why', '--last', '1', '--json')
  await check('`procref slot list --json`', 'slot', 'list', '--json')
  await check('`procref slot try --json`', 'slot', 'try', '--json')
  // Something to mend, and something that a living guardian keeps from being mended.
  chmodSync(join(dir, 'slots'), 0o755)
  writeFileSync(join(dir, `alive-${'d'.repeat(32)}.lock`), '', { mode: 0o600 })
  await check('`procref doctor --json`', 'doctor', '--fix', '--json')
  await check('`procref url --json`', 'url', '--json')
  await check('`procref env --json --secrets`', 'env', '--json', '--secrets')
  await check('`procref sql --json', 'sql', '--query', 'RETURN 1', '--json')
  const out = freshDir()
  await jsonOf(
    ...['sql', '--json', '--dir', dir, '--query'],
    'DEFINE USER u ON NAMESPACE PASSWORD "x"; DEFINE ACCESS account ON DATABASE TYPE RECORD',
  )
  await check('`procref export FILE --json`', 'export', join(out, 'x.surql'), '--json')
  await check('`procref backup FOLDER --json`', 'backup', join(out, 'backup'), '--json')
  await check('`procref restore FOLDER --json`', 'restore', join(out, 'backup'), '--force', '--json')
  writeFileSync(join(out, 'y.surql'), 'OPTION IMPORT; CREATE a:1;')
  await check('`procref import FILE --json`', 'import', join(out, 'y.surql'), '--json')
  const holder = procref('slot', 'hold', '--dir', dir)
  expect(fieldsOf(JSON.parse(await holder.line()))).toEqual(fieldsOf(documented('`procref slot hold`')))
  holder.end()
  await holder.exited
  await check('`procref stop --json`', 'stop', '--json')
  await check('A failure, of any command', 'url', '--json')
  await check('`procref config --json`', 'config', '--json')
  await check('`procref upgrade --json --yes`', 'upgrade', '--driver', 'embedded', '--json', '--yes')
  const old = join(out, 'data.db')
  cpSync(join(dir, 'data', 'db'), old, { recursive: true })
  const { user, password } = JSON.parse(readFileSync(join(dir, 'data', 'credentials.json'), 'utf8'))
  writeFileSync(join(out, 'password'), password)
  await check('`procref reset --json --yes`', 'reset', '--json', '--yes')
  await check(
    '`procref take-over FOLDER --json`',
    ...['take-over', old, '--user', user, '--password-file', join(out, 'password'), '--driver', 'embedded'],
    ...['--from-version', '3.0.2', '--json'],
  )
  const server = atEnd(await startEmbedded())
  const driver = external({
    url: `ws://127.0.0.1:${server.port}`,
    credentials: { user: USER, password: PASSWORD },
  })
  await using _lease = await connect({ dir, driver, label: 'the shop' })
  for (const command of ['status', 'ps']) {
    const { external: users } = (await jsonOf(command, '--json', '--dir', dir)) as { readonly external: unknown }
    expect(fieldsOf(users), command).toEqual(fieldsOf(documented('Servers elsewhere')))
  }
  writeFileSync(`${dir}/gcode.json`, '{"pid":4194305,"port":8000,"metadata":{}}')
  await check('`procref migrate --json`', 'migrate', '--to', 'native', '--json')
})
