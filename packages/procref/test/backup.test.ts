import { createHash } from 'node:crypto'
import { cpSync, existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testsInTurn } from '@procref/testing'
import { backup, type Manifest, restore } from 'procref'
import { describe, expect, test } from 'vitest'
import {
  CONTENT,
  contentsOf,
  fillLarge,
  finish,
  frozenHalfway,
  KINDS,
  lease,
  namesIn,
  outputDir,
  procref,
  serviceDir,
  WAYS,
} from './data-service.ts'

const OTHERS = { namespace: 'we ird', database: 'it`s' }
const quick = { lingerMs: 300 } as const

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
}

function writeManifest(folder: string, change: object): void {
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...readManifest(folder), ...change }))
}

/** Changes a part so that the manifest knows of it. */
function replacePart(folder: string, index: number, text: string): void {
  const { databases } = readManifest(folder)
  const part = databases[index] ?? expect.unreachable(`part ${index}`)
  writeFileSync(join(folder, part.file), text)
  const sha256 = createHash('sha256').update(text).digest('hex')
  writeManifest(folder, {
    databases: databases.with(index, { ...part, bytes: Buffer.byteLength(text), sha256 }),
  })
}

describe.each(WAYS)('a backup of %s, restored into %s', (from, to) => {
  test('has all namespaces and databases, and says what it has not', async () => {
    const [fromDir, toDir] = [serviceDir(), serviceDir()]
    const main = await lease(fromDir, from)
    await main.db.query(CONTENT)
    const other = await lease(fromDir, from, OTHERS)
    await other.db.query(
      "CREATE thing:1 SET here = true; DEFINE NAMESPACE nothing; DEFINE SEQUENCE numbers; RETURN sequence::nextval('numbers')",
    )
    await main.db.query(`
      DEFINE USER boss ON ROOT PASSWORD 'x'; DEFINE USER clerk ON NAMESPACE PASSWORD 'x';
      DEFINE ACCESS visitors ON NAMESPACE TYPE JWT ALGORITHM HS512 KEY 'k'; DEFINE ACCESS door ON ROOT TYPE BEARER FOR USER;
      DEFINE ACCESS account ON DATABASE TYPE RECORD; DEFINE ACCESS bearer ON DATABASE TYPE BEARER FOR USER`)
    const folder = join(outputDir(), 'backup')
    const made = await finish(procref(['backup', '--dir', fromDir, folder]))
    expect(made).toMatchObject({ code: 0, stderr: '' })
    for (const line of [
      'users of the root: boss',
      'accesses of the root: door',
      'users of the namespace main: clerk',
      'accesses of the namespace main: visitors',
      'keys of accesses of main/main, which have to be defined again: account',
    ]) {
      expect(made.stdout).toContain(line)
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    const manifest = readManifest(folder)
    expect(manifest).toMatchObject({
      format: 1,
      server: { driver: from === 'embedded' ? 'embedded-surreal' : 'surreal-binary', storage: 'rocksdb' },
      namespaces: ['main', 'nothing', 'we ird'],
      databases: [{ namespace: 'main', database: 'main' }, OTHERS],
    })
    expect(namesIn(folder)).toEqual([...manifest.databases.map(({ file }) => file), 'manifest.json'])
    for (const { file, bytes, sha256 } of manifest.databases) {
      const content = readFileSync(join(folder, file))
      expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, sha256])
    }
    for (const name of namesIn(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)

    const restored = await finish(procref(['restore', '--dir', toDir, '--driver', to, '--linger', '300ms', folder]))
    expect(restored).toMatchObject({ code: 0, stderr: '' })
    expect(restored.stdout).toMatch(/define these accesses again.*\n {2}account of main\/main\n/)
    const copy = await lease(toDir, to)
    expect(await contentsOf(copy)).toEqual(await contentsOf(main))
    const otherCopy = await lease(toDir, to, OTHERS)
    expect(await contentsOf(otherCopy)).toEqual(await contentsOf(other))
    // What the page says of all that an export has not.
    const [root, ofNamespace, ofDatabase] = await copy.db.query<Record<string, object>[]>(
      'INFO FOR ROOT; INFO FOR NS; INFO FOR DB',
    )
    const names = (info: Record<string, object> | undefined, section: string) => Object.keys(info?.[section] ?? {})
    expect(names(root, 'namespaces')).toEqual(['main', 'nothing', 'we ird'])
    expect([names(root, 'users'), names(root, 'accesses')]).toEqual([['procref'], []])
    expect([names(ofNamespace, 'users'), names(ofNamespace, 'accesses')]).toEqual([[], []])
    expect(names(ofDatabase, 'accesses')).toEqual(['bearer'])
    const isKept = manifest.notIncluded.databases.every(({ sequences }) => sequences.length === 0)
    expect(isKept).toBe(from === 'binary')
    expect(await otherCopy.db.query("RETURN sequence::nextval('numbers')")).toEqual([isKept ? 1 : 0])
  })
})

describe.each(KINDS)('restore (%s)', (kind) => {
  const testInTurn = testsInTurn(test, kind, KINDS)

  testInTurn('refuses databases in which there is something; --force replaces those, and no other', async () => {
    const dir = serviceDir()
    const { db } = await lease(dir, kind)
    const other = await lease(dir, kind, OTHERS)
    await db.query('CREATE a:1 SET of = "the backup"')
    const folder = join(outputDir(), 'backup')
    await backup({ dir, to: folder })
    await db.query('UPDATE a:1 SET of = "later"; CREATE a:2; DEFINE TABLE later')
    const third = await lease(dir, kind, { ...OTHERS, database: 'third' })
    for (const { db: own } of [other, third]) await own.query('CREATE later:1')
    const refused = await finish(procref(['restore', '--dir', dir, folder]))
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/something in main\/main, we ird\/it`s already; nothing was changed.*--force/)
    expect(await db.query('SELECT VALUE <string>id FROM a')).toEqual([['a:1', 'a:2']])
    // Empty when the backup was made.
    await other.db.query('REMOVE TABLE later')
    expect(await finish(procref(['restore', '--dir', dir, folder, '--force']))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/main\/main \(.*, replaced\n {2}we ird\/it`s \(\d+ bytes\)\n/),
    })
    const again = await lease(dir, kind)
    expect(await again.db.query('SELECT *, <string>id AS id FROM a')).toEqual([[{ id: 'a:1', of: 'the backup' }]])
    expect(Object.keys(((await again.db.query('INFO FOR DB')) as [{ tables: object }])[0].tables)).toEqual(['a'])
    expect(await third.db.query('SELECT VALUE <string>id FROM later')).toEqual([['later:1']])
  })

  testInTurn('that fails half-way says what is done, what is not, and how to go on; then that works', async () => {
    const [dir, copyDir] = [serviceDir(), serviceDir()]
    for (const database of ['a', 'b', 'c']) {
      const { db } = await lease(dir, kind, { database })
      await db.query(`CREATE thing:${database}`)
    }
    const out = outputDir()
    const [good, bad] = [join(out, 'good'), join(out, 'bad')]
    await backup({ dir, to: good })
    cpSync(good, bad, { recursive: true })
    replacePart(bad, 1, 'OPTION IMPORT; CREATE thing:b; CREATE thing:b;')
    const failed = restore({ dir: copyDir, driver: kind, from: bad, ...quick })
    const of = (database: string) => ({ namespace: 'main', database })
    await expect(failed).rejects.toMatchObject({
      code: 'PROCREF_RESTORE_INCOMPLETE',
      done: [of('a')],
      failed: of('b'),
      notBegun: [of('c'), of('main')],
      message: expect.stringMatching(
        /Restored: main\/a\. .*in part.*main\/b\. Not begun: main\/c, main\/main\..*--force/,
      ),
      cause: { code: 'PROCREF_IMPORT_FAILED', message: expect.stringContaining('`thing:b` already exists') },
    })
    const { databases } = await restore({ dir: copyDir, driver: kind, from: good, ifNotEmpty: 'replace', ...quick })
    expect(databases.map(({ database, replaced }) => [database, replaced])).toEqual([
      ['a', true],
      ['b', true],
      ['c', false],
      ['main', false],
    ])
    for (const database of ['a', 'b', 'c']) {
      const { db } = await lease(copyDir, kind, { database })
      expect(await db.query('SELECT VALUE <string>id FROM thing')).toEqual([[`thing:${database}`]])
    }
  })

  testInTurn('of a part that is changed after it was checked is no success', async () => {
    const dir = serviceDir()
    const { db } = await lease(dir, kind)
    await db.query('DEFINE ACCESS account ON DATABASE TYPE RECORD; CREATE a:1')
    const folder = join(outputDir(), 'backup')
    await backup({ dir, to: folder })
    const path = join(folder, '0001.surql')
    const restoring = restore({
      dir: serviceDir(),
      driver: kind,
      from: folder,
      ...quick,
      // While the server starts: after the check, before the first byte is sent.
      onProgress: () => writeFileSync(path, readFileSync(path, 'utf8').replace('a:1', 'a:2')),
    })
    await expect(restoring).rejects.toMatchObject({
      code: 'PROCREF_RESTORE_INCOMPLETE',
      cause: { message: expect.stringContaining('the file was changed after it was checked') },
    })
  })

  testInTurn(
    'of a backup that is not as it was written is refused, with nothing written and nothing started',
    async () => {
      const dir = serviceDir()
      const { db } = await lease(dir, kind)
      await db.query('CREATE a:1')
      const out = outputDir()
      const good = join(out, 'good')
      await backup({ dir, to: good })
      const [part] = readManifest(good).databases
      const { file } = part ?? expect.unreachable('no part')
      const damages: Readonly<
        Record<string, readonly [damage: (folder: string) => void, code: string, message: RegExp]>
      > = {
        checksum: [
          (folder) => writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').replace('a:1', 'a:2')),
          'PROCREF_BACKUP_UNUSABLE',
          /0001\.surql has another checksum than it had. Nothing was changed/,
        ],
        size: [(folder) => writeFileSync(join(folder, file), ''), 'PROCREF_BACKUP_UNUSABLE', /0001\.surql has 0 bytes/],
        missing: [(folder) => rmSync(join(folder, file)), 'PROCREF_BACKUP_UNUSABLE', /0001\.surql is missing/],
        link: [
          (folder) => {
            rmSync(join(folder, file))
            symlinkSync(join(good, file), join(folder, file))
          },
          'PROCREF_BACKUP_UNUSABLE',
          /0001\.surql is a symbolic link/,
        ],
        unfinished: [(folder) => rmSync(join(folder, 'manifest.json')), 'PROCREF_BACKUP_UNUSABLE', /never finished/],
        damaged: [
          (folder) => writeFileSync(join(folder, 'manifest.json'), '{'),
          'PROCREF_BACKUP_UNUSABLE',
          /is damaged/,
        ],
        outside: [
          (folder) => writeManifest(folder, { databases: [{ ...part, file: `../good/${file}` }] }),
          'PROCREF_BACKUP_UNUSABLE',
          /not as procref writes it/,
        ],
        newer: [
          (folder) => writeManifest(folder, { format: 2 }),
          'PROCREF_NEWER_BACKUP',
          /has the format 2.*Nothing was changed/,
        ],
      }
      const copyDir = serviceDir()
      for (const [name, [damage, code, message]] of Object.entries(damages)) {
        const folder = join(out, name)
        cpSync(good, folder, { recursive: true })
        damage(folder)
        await expect(restore({ dir: copyDir, from: folder, ifNotEmpty: 'replace' }), name).rejects.toMatchObject({
          code,
          message: expect.stringMatching(message),
        })
      }
      expect(existsSync(copyDir)).toBe(false)
    },
  )
})

describe.each(KINDS)('backup (%s)', (kind) => {
  const testInTurn = testsInTurn(test, kind, KINDS)

  testInTurn(
    'that is killed (SIGKILL) half-way leaves no folder of its name; one that is told to end leaves none at all',
    async () => {
      const dir = serviceDir()
      await fillLarge(await lease(dir, kind))
      const out = outputDir()
      const begun = () => frozenHalfway(out, () => procref(['backup', '--dir', dir, join(out, 'backup')]), '0001.surql')
      const told = await begun()
      told.kill('SIGINT')
      told.kill('SIGCONT')
      expect(await told.exited).toEqual({ code: null, signal: 'SIGINT' })
      expect(told.stderr()).toBe('procref: told to end by SIGINT\n')
      expect(namesIn(out)).toEqual([])
      const killed = await begun()
      killed.kill('SIGKILL')
      expect(await killed.exited).toEqual({ code: null, signal: 'SIGKILL' })
      const [left, ...more] = namesIn(out)
      expect([left, more]).toEqual([expect.stringMatching(/^backup\.[0-9a-f]{16}\.part$/), []])
      const refused = restore({ dir: serviceDir(), from: join(out, left ?? '') })
      await expect(refused).rejects.toMatchObject({ code: 'PROCREF_BACKUP_UNUSABLE' })
    },
  )

  testInTurn('of a database that cannot be exported is an error, and leaves no folder', async () => {
    const dir = serviceDir()
    const { db } = await lease(dir, kind)
    await db.query('CREATE a:1; DEFINE DATABASE `ü`')
    const out = outputDir()
    const made = backup({ dir, to: join(out, 'backup') })
    await expect(made).rejects.toMatchObject({ code: 'PROCREF_DATABASE_NAME', message: expect.stringContaining('"ü"') })
    expect(namesIn(out)).toEqual([])
  })
})

test('a backup takes the place of nothing, not even of an empty folder, and starts nothing for that', async () => {
  const dir = serviceDir()
  const out = outputDir()
  await expect(backup({ dir, to: out })).rejects.toMatchObject({
    code: 'PROCREF_TARGET_EXISTS',
    message: expect.stringContaining(`${out} is there already`),
  })
  expect(existsSync(dir)).toBe(false)
})
