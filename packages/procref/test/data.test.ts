import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { freshDir, isRoot, QUIET_MS, staysTrue, testsInTurn, unprivileged, within } from '@procref/testing'
import { exportDatabase, importDatabase } from 'procref'
import { describe, expect, test } from 'vitest'
import { DumpCheck } from '../src/data/dump-check.ts'
import {
  CONTENT,
  contentsOf,
  fillLarge,
  finish,
  frozenHalfway,
  KINDS,
  LARGE_ROWS,
  lease,
  namesIn,
  outputDir,
  procref,
  serviceDir,
  WAYS,
} from './data-service.ts'

/** Takes nothing after its first piece until it is let go. */
class Blocked extends Writable {
  readonly begun: Promise<void>
  #begin: () => void = () => {}
  #go: (() => void) | undefined
  #open = false

  constructor() {
    super({ highWaterMark: 1 })
    this.begun = new Promise((resolve) => {
      this.#begin = resolve
    })
  }

  letGo(): void {
    this.#open = true
    this.#go?.()
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#begin()
    if (this.#open) done()
    else this.#go = done
  }
}

describe.each(WAYS)('an export of %s, imported into %s', (from, to) => {
  test('has everything that was in the database', async () => {
    const [fromDir, toDir] = [serviceDir(), serviceDir()]
    const origin = await lease(fromDir, from, { namespace: 'app', database: 'shop' })
    await origin.db.query(CONTENT)
    const file = join(outputDir(), 'shop.surql')
    const exported = await exportDatabase({ dir: fromDir, namespace: 'app', database: 'shop', to: file })
    expect(exported).toMatchObject({ file, namespace: 'app', database: 'shop', bytes: statSync(file).size })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    // Nobody has made this namespace yet.
    const selected = { namespace: 'other', database: 'copy' }
    const imported = await importDatabase({ dir: toDir, driver: to, ...selected, from: file, lingerMs: 300 })
    expect(imported).toMatchObject({ file, ...selected, bytes: exported.bytes })
    expect(await contentsOf(await lease(toDir, to, selected))).toEqual(await contentsOf(origin))
  })

  test('through a pipe, by the command: export starts the server, import reads standard input', async () => {
    const [fromDir, toDir] = [serviceDir(), serviceDir()]
    const before = await lease(fromDir, from)
    await before.db.query(CONTENT)
    await before.close()
    const exported = await finish(procref(['export', '--dir', fromDir, '--driver', from, '--linger', '300ms']))
    expect(exported).toMatchObject({ code: 0, stderr: expect.stringContaining('exported main/main') })
    const importing = procref(['import', '--dir', toDir, '--driver', to, '--linger', '300ms', '-'])
    importing.send(exported.stdout)
    expect(await finish(importing)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('imported standard input'),
    })
    const origin = await lease(fromDir, from)
    expect(await contentsOf(await lease(toDir, to))).toEqual(await contentsOf(origin))
  })
})

describe.each(KINDS)('export (%s)', (kind) => {
  const testInTurn = testsInTurn(test, kind, KINDS)

  test('while many transfer money between the first and the last table: each export has the whole sum', async () => {
    const dir = serviceDir()
    const { db } = await lease(dir, kind)
    const accounts = 20
    const start = 100
    // Between the two tables stand rows that take time to export.
    await db.query(
      `FOR $i IN 0..$accounts {
        CREATE type::record('aaa', $i) SET balance = $start; CREATE type::record('zzz', $i) SET balance = $start };
      FOR $i IN 0..3000 { CREATE type::record('mmm', $i) SET text = 'between' };`,
      { accounts, start },
    )
    let committed = 0
    let isOver = false
    const transfer = async (): Promise<void> => {
      const { db: own } = await lease(dir, kind)
      for (let i = 0; !isOver; i++) {
        const [from, to] = i % 2 === 0 ? ['aaa', 'zzz'] : ['zzz', 'aaa']
        await own
          .query(
            `BEGIN; UPDATE type::record($from, $a) SET balance -= $n; UPDATE type::record($to, $b) SET balance += $n; COMMIT`,
            { from, to, a: i % accounts, b: (i * 7) % accounts, n: 1 + (i % 5) },
          )
          .then(() => committed++, onlyConflicts)
      }
    }
    const transfers = [transfer(), transfer(), transfer()]
    const sums: number[] = []
    const states = new Set<string>()
    let meanwhile = 0
    try {
      // Until there was something to see: a machine that is busy elsewhere may let nobody transfer for a while.
      for (let i = 0; i < 8 || ((meanwhile === 0 || states.size < 2) && i < 100); i++) {
        const file = join(outputDir(), 'bank.surql')
        const before = committed
        await exportDatabase({ dir, to: file })
        meanwhile += committed - before
        const balances = [...readFileSync(file, 'utf8').matchAll(/balance: (-?\d+)/g)].map(([, digits]) =>
          Number(digits),
        )
        expect(balances).toHaveLength(2 * accounts)
        states.add(balances.join())
        sums.push(balances.reduce((sum, balance) => sum + balance))
      }
    } finally {
      isOver = true
      await Promise.all(transfers)
    }
    expect(sums).toEqual(sums.map(() => 2 * accounts * start))
    // Else nothing was shown.
    expect(meanwhile).toBeGreaterThan(0)
    expect(states.size).toBeGreaterThan(1)
  })

  test('is as fast as its reader: what nobody takes is not in memory', async () => {
    const dir = serviceDir()
    await fillLarge(await lease(dir, kind))
    const target = new Blocked()
    const before = buffered()
    const exporting = exportDatabase({ dir, to: target })
    await within('the first piece comes', target.begun)
    await staysTrue(20 * QUIET_MS, () => expect(buffered() - before).toBeLessThan(5))
    target.letGo()
    const { bytes } = await exporting
    expect(bytes).toBeGreaterThan(LARGE_ROWS * 1_000)
  })

  testInTurn('whose server is killed (SIGKILL) half-way is an error, and leaves no file', async () => {
    const dir = serviceDir()
    const client = await lease(dir, kind)
    await fillLarge(client)
    const out = outputDir()
    // So that it has not read all of it when the server is killed.
    const child = await frozenHalfway(out, () => procref(['export', '--dir', dir, join(out, 'x.surql')]))
    process.kill(client.server.pid, 'SIGKILL')
    child.kill('SIGCONT')
    expect(await finish(child)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/main\/main failed: the connection to the server broke.*no complete copy/),
    })
    expect(namesIn(out)).toEqual([])
  })

  testInTurn(
    'that is killed (SIGKILL) half-way leaves no file of its name; one that is told to end (SIGTERM) leaves none at all',
    async () => {
      const dir = serviceDir()
      await fillLarge(await lease(dir, kind))
      const out = outputDir()
      const begun = () => frozenHalfway(out, () => procref(['export', '--dir', dir, join(out, 'x.surql')]))
      const told = await begun()
      told.kill('SIGTERM')
      told.kill('SIGCONT')
      expect(await told.exited).toEqual({ code: null, signal: 'SIGTERM' })
      expect(namesIn(out)).toEqual([])
      const killed = await begun()
      killed.kill('SIGKILL')
      expect(await killed.exited).toEqual({ code: null, signal: 'SIGKILL' })
      expect(namesIn(out)).toEqual([expect.stringMatching(/^x\.surql\.[0-9a-f]{16}\.part$/)])
      // What it left is in nobody's way.
      expect(await finish(procref(['export', '--dir', dir, join(out, 'x.surql')]))).toMatchObject({ code: 0 })
    },
  )

  testInTurn('of a database that is not there is an error, and makes neither it nor a file', async () => {
    const dir = serviceDir()
    const { db } = await lease(dir, kind)
    const out = outputDir()
    for (const selected of [{ database: 'nowhere' }, { namespace: 'nowhere' }]) {
      await expect(exportDatabase({ dir, ...selected, to: join(out, 'x.surql') })).rejects.toMatchObject({
        code: 'PROCREF_DATABASE_NOT_FOUND',
      })
    }
    await expect(exportDatabase({ dir, database: 'ü', to: join(out, 'x.surql') })).rejects.toMatchObject({
      code: 'PROCREF_DATABASE_NOT_FOUND',
    })
    await db.query('DEFINE DATABASE `ü`')
    await expect(exportDatabase({ dir, database: 'ü', to: join(out, 'x.surql') })).rejects.toMatchObject({
      code: 'PROCREF_DATABASE_NAME',
    })
    expect(namesIn(out)).toEqual([])
    const [root, namespace] =
      await db.query<[{ namespaces: object }, { databases: object }]>('INFO FOR ROOT; INFO FOR NS')
    expect(Object.keys(root.namespaces)).toEqual(['main'])
    expect(Object.keys(namespace.databases)).toEqual(['main', 'ü'])
  })

  test('of which any end is missing is seen to be none: an executable breaks off as if it had ended', async () => {
    const dir = serviceDir()
    const { db } = await lease(dir, kind)
    for (const [content, tables] of [
      [CONTENT, ['counter', 'knows', 'person', 'we ird', 'zz_empty']],
      ["CREATE zzz:1 SET text = 'the last one has rows'", ['counter', 'knows', 'person', 'we ird', 'zz_empty', 'zzz']],
    ] as const) {
      await db.query(content)
      const chunks: Buffer[] = []
      await exportDatabase({
        dir,
        to: new Writable({ write: (chunk: Buffer, _encoding, done) => done(void chunks.push(chunk)) }),
      })
      const dump = Buffer.concat(chunks)
      expect(problemWith(dump, tables)).toBeUndefined()
      expect(problemWith(dump, [...tables, 'another'])).toMatch(/"another" is not all in it/)
      const whole = Array.from(dump.keys()).filter(
        (length) => problemWith(dump.subarray(0, length), tables) === undefined,
      )
      expect(whole).toEqual([])
    }
  })
})

describe('a file', () => {
  test('that is there is not overwritten without --force, and nothing is started for it', async () => {
    const dir = serviceDir()
    const out = outputDir()
    const file = join(out, 'x.surql')
    writeFileSync(file, 'precious')
    const refused = await finish(procref(['export', '--dir', dir, file]))
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/x\.surql is there already; nothing was written.*--force/),
    })
    expect(existsSync(dir)).toBe(false)
    expect([namesIn(out), readFileSync(file, 'utf8')]).toEqual([['x.surql'], 'precious'])
    const forced = await finish(
      procref(['export', '--dir', dir, '--driver', 'embedded', '--linger', '300ms', file, '--force', '--json']),
    )
    expect(JSON.parse(forced.stdout)).toMatchObject({ file, bytes: statSync(file).size })
    expect(readFileSync(file, 'utf8')).toContain('OPTION IMPORT;')
    expect(namesIn(out)).toEqual(['x.surql'])
  })

  test('that is a folder, or in a folder that is missing, is told as that, and nothing is started for it', async () => {
    const dir = serviceDir()
    const out = outputDir()
    expect(await finish(procref(['import', '--dir', dir, out]))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `procref: ${out} is a folder; nothing was imported. Give the file that \`procref export\` wrote; a folder of \`procref backup\` is for \`procref restore\`.\n`,
    })
    const missing = join(out, 'missing')
    for (const command of ['export', 'backup']) {
      const refused = await finish(procref([command, '--dir', dir, join(missing, 'x')]))
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`The folder ${missing} does not exist`),
      })
      expect(refused.stderr).not.toContain('.part (')
    }
    expect(existsSync(dir)).toBe(false)
  })

  test('that comes to the path meanwhile is not overwritten', async () => {
    const dir = serviceDir()
    await fillLarge(await lease(dir, 'embedded'))
    const out = outputDir()
    const file = join(out, 'x.surql')
    let isThere = false
    const exporting = exportDatabase({
      dir,
      to: file,
      onBytes: () => {
        if (!isThere) writeFileSync(file, 'precious')
        isThere = true
      },
    })
    await expect(exporting).rejects.toMatchObject({ code: 'PROCREF_TARGET_EXISTS' })
    expect([namesIn(out), readFileSync(file, 'utf8')]).toEqual([['x.surql'], 'precious'])
  })

  test('that is a link or a folder is never replaced', async () => {
    const dir = serviceDir()
    const out = outputDir()
    writeFileSync(join(out, 'precious'), 'precious')
    symlinkSync('precious', join(out, 'link'))
    mkdirSync(join(out, 'folder'))
    for (const name of ['link', 'folder']) {
      await expect(exportDatabase({ dir, to: join(out, name), ifExists: 'replace' })).rejects.toMatchObject({
        code: 'PROCREF_TARGET_EXISTS',
        message: expect.stringContaining('no regular file'),
      })
    }
    expect([namesIn(out), readFileSync(join(out, 'precious'), 'utf8'), existsSync(dir)]).toEqual([
      ['folder', 'link', 'precious'],
      'precious',
      false,
    ])
  })

  test('in a folder that is not there, is none, or cannot be written: an error that names the path, and nothing is started', async () => {
    const dir = serviceDir()
    // The other user has to get there.
    const open = freshDir({ mode: 0o755 })
    const closed = join(open, 'closed')
    mkdirSync(closed)
    chmodSync(closed, 0o555)
    writeFileSync(join(open, 'file'), '')
    for (const [path, code] of [
      [join(open, 'nowhere/x.surql'), 'PROCREF_NOT_FOUND'],
      [join(open, 'file/x.surql'), 'PROCREF_NOT_A_DIRECTORY'],
    ] as const) {
      await expect(exportDatabase({ dir, to: path })).rejects.toMatchObject({
        code,
        message: expect.stringContaining(path),
      })
    }
    const path = join(closed, 'x.surql')
    for (const command of ['export', 'backup']) {
      const refused = await finish(procref([command, '--dir', join(open, 'service'), path], unprivileged()))
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/closed\/x\.surql.* \(EACCES\)/) })
    }
    expect([existsSync(dir), namesIn(open), isRoot() || namesIn(closed)]).toEqual([
      false,
      ['closed', 'file'],
      isRoot() || [],
    ])
  })

  test('is needed for --json', async () => {
    expect(await finish(procref(['export', '--json', '--dir', serviceDir()]))).toMatchObject({ code: 2 })
  })
})

describe.each(KINDS)('import (%s)', (kind) => {
  test('names each statement that failed, and carries out the others', async () => {
    const dir = serviceDir()
    const { db } = await lease(dir, kind)
    const text =
      'OPTION IMPORT; CREATE a:1; CREATE a:1; CREATE a:2; DEFINE USER x ON DATABASE PASSHASH "no"; CREATE a:3;'
    const importing = procref(['import', '--dir', dir, '--json', '-'])
    importing.send(text)
    const { code, stdout } = await finish(importing)
    expect(code).toBe(1)
    const { error } = JSON.parse(stdout)
    expect(error.code).toBe('PROCREF_IMPORT_FAILED')
    expect(error.message).toMatch(
      /standard input into main\/main failed: .*All other statements were carried out.*`a:1` already exists/s,
    )
    expect(await db.query('SELECT VALUE <string>id FROM a')).toEqual([['a:1', 'a:2', 'a:3']])
  })

  test('of what is no export is refused, and nothing of it is carried out', async () => {
    const dir = serviceDir()
    const { db } = await lease(dir, kind)
    await expect(importDatabase({ dir, from: Readable.from([Buffer.from('CREATE a:1;')]) })).rejects.toMatchObject({
      code: 'PROCREF_IMPORT_FAILED',
      message: expect.stringMatching(/OPTION IMPORT.*[^.]\. Nothing was carried out\. .*`procref sql < FILE`\.$/),
    })
    await expect(importDatabase({ dir, from: join(dir, 'nowhere') })).rejects.toMatchObject({
      code: 'PROCREF_NOT_FOUND',
    })
    const [{ tables }] = await db.query<[{ tables: object }]>('INFO FOR DB')
    expect(tables).toEqual({})
  })

  test('of what nobody can read as SurrealQL is told in the server’s words, and what follows them on a line of its own', async () => {
    const dir = serviceDir()
    await lease(dir, kind)
    await expect(importDatabase({ dir, from: Readable.from([Buffer.from('rubbish (((')]) })).rejects.toMatchObject({
      code: 'PROCREF_IMPORT_FAILED',
      // The embedded engine wants to read OPTION IMPORT first.
      message: expect.stringMatching(
        kind === 'binary' ? /\brubbish \(\(\(.*\nWhat stands before that/s : /OPTION IMPORT.* Nothing was carried out/,
      ),
    })
  })

  test('whose server is killed half-way, or whose source breaks, is an error', async () => {
    const dir = serviceDir()
    const client = await lease(dir, kind)
    let kill: () => void = () => {}
    const half = async function* (end: () => Promise<never>): AsyncGenerator<Buffer> {
      yield Buffer.from('OPTION IMPORT;\n')
      for (let i = 0; i < 3_000; i++) yield Buffer.from(`CREATE a:${i} SET text = '${'x'.repeat(1_000)}';\n`)
      await end()
    }
    const broken = importDatabase({ dir, from: Readable.from(half(() => Promise.reject(new Error('the disk broke')))) })
    await expect(broken).rejects.toMatchObject({
      code: 'PROCREF_IMPORT_FAILED',
      message: expect.stringMatching(
        /not be read to its end \(the disk broke\)\. Some of the statements were carried out/,
      ),
    })
    const cut = importDatabase({
      dir,
      from: Readable.from(
        half(async () => {
          kill()
          return await new Promise<never>(() => {})
        }),
      ),
    })
    kill = () => process.kill(client.server.pid, 'SIGKILL')
    await expect(cut).rejects.toMatchObject({
      code: 'PROCREF_IMPORT_FAILED',
      message: expect.stringContaining('Some of the statements were carried out'),
    })
  })
})

/** A conflict between two transfers undoes one of them; anything else is an error of the test. */
function onlyConflicts(error: unknown): void {
  if (!/conflict|retr|not executed|failed transaction/i.test(`${error} ${(error as Error).cause}`)) throw error
}

/** Megabytes outside of the heap. */
function buffered(): number {
  return process.memoryUsage().external / 1e6
}

function problemWith(dump: Buffer, tables: readonly string[]): string | undefined {
  const check = new DumpCheck()
  // Torn apart anywhere.
  for (let at = 0; at < dump.length; at += 97) check._transform(dump.subarray(at, at + 97), 'utf8', () => {})
  return check.problemWith(tables)
}
