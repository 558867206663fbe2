import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { native } from '@procref/native'
import { atEnd, eventually, lockUsers, servantsOf, shareOf, startProgram, testsInTurn } from '@procref/testing'
import { connect } from 'procref'
import { describe, expect, test, vi } from 'vitest'
// Not part of the public interface.
import { upgradeDirectory } from '../dist/commands/upgrade.js'
import { finish, procref, serviceDir } from './data-service.ts'
import { SURREAL } from './hand-server.ts'

const STORAGES = ['rocksdb', 'surrealkv'] as const
/** Of the embedded engine. */
const OLDER = '3.0.2'
const ROWS = 100

async function sql(dir: string, driver: string, query: string, ...args: readonly string[]) {
  const command = ['sql', '--dir', dir, '--driver', driver, '--linger', '0s', '--json', '--query', query, ...args]
  const outcome = await finish(procref(command))
  await eventually('nothing runs', () => servantsOf(dir).length === 0 && lockUsers(dir).length === 0)
  return { ...outcome, json: JSON.parse(outcome.stdout) }
}

async function rows(dir: string, driver: string, ...args: readonly string[]): Promise<number> {
  const { code, stderr, json } = await sql(dir, driver, 'RETURN count(SELECT * FROM row)', ...args)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return json[0].result
}

/** A directory with data that the embedded engine, an older SurrealDB, has written. */
async function olderData(storage: (typeof STORAGES)[number]): Promise<string> {
  const dir = serviceDir()
  const create = `DEFINE TABLE row; FOR $i IN 0..${ROWS} { CREATE type::record("row", $i) SET tags = ['a', { n: $i }] }`
  expect(await sql(dir, 'embedded', create, '--storage', storage)).toMatchObject({ code: 0 })
  expect(engineOf(dir)).toMatchObject({ version: OLDER, storage })
  return dir
}

function engineOf(dir: string): { readonly version: string; readonly storage: string } {
  return JSON.parse(readFileSync(join(dir, 'data', 'engine.json'), 'utf8'))
}

/** Changes what the directory says of who wrote its data. */
function writtenBy(dir: string, version: string): void {
  writeFileSync(join(dir, 'data', 'engine.json'), JSON.stringify({ ...engineOf(dir), version }), { mode: 0o600 })
}

const copiesIn = (dir: string): readonly string[] => readdirSync(dir).filter((name) => name.startsWith('data.'))

const upgrade = async (dir: string, ...args: readonly string[]) =>
  await finish(procref(['upgrade', '--dir', dir, '--driver', 'binary', ...args]))

describe.runIf(SURREAL !== undefined).each(STORAGES)('data of an older SurrealDB (%s)', (storage) => {
  const testInTurn = testsInTurn(test, storage, STORAGES)

  testInTurn(
    'are not opened by a newer one that nobody has allowed to: an error names both, and the older one goes on with them',
    async () => {
      const dir = await olderData(storage)
      const { code, json } = await sql(dir, 'binary', 'RETURN 1')
      expect(code).toBe(1)
      expect(json.error.code).toBe('PROCREF_UPGRADE_NEEDED')
      expect(json.error.message).toMatch(
        /last written by surrealdb 3\.0\.2 .*[Ss]urrealdb \d+\.\d+\.\d+ .*Nothing was changed.*`procref upgrade`.*`--upgrade`.*whenOlder/s,
      )
      expect(readFileSync(join(dir, 'journal.ndjson'), 'utf8')).toContain('"reason":"upgrade-needed"')
      await expect(connect({ dir, driver: 'binary' })).rejects.toMatchObject({ code: 'PROCREF_UPGRADE_NEEDED' })
      expect(engineOf(dir).version).toBe(OLDER)
      expect(await rows(dir, 'embedded')).toBe(ROWS)
    },
  )

  testInTurn(
    'stay with the engine that wrote them where nobody asks for another, although there is a better one',
    async () => {
      const dir = await olderData(storage)
      expect((await finish(procref(['doctor', '--dir', dir]))).code).toBe(0)
      {
        await using lease = await connect({ dir, lingerMs: 0 })
        expect(lease.server).toMatchObject({ driver: 'embedded-surreal', version: OLDER })
        expect(await lease.db.query('RETURN count(SELECT * FROM row)')).toEqual([ROWS])
      }
      await eventually('nothing runs', () => servantsOf(dir).length === 0 && lockUsers(dir).length === 0)
      await using lease = await connect({ dir, lingerMs: 0, whenOlder: 'upgrade' })
      expect(lease.server).toMatchObject({ driver: 'surreal-binary' })
      expect(await lease.db.query('RETURN count(SELECT * FROM row)')).toEqual([ROWS])
    },
  )

  testInTurn('`procref upgrade` asks, keeps a copy, and upgrades; there is no way back but the copy', async () => {
    const dir = await olderData(storage)
    const unasked = await upgrade(dir)
    expect(unasked.code).toBe(2)
    expect(unasked.stderr).toMatch(
      /written by SurrealDB 3\.0\.2\. SurrealDB \d.* stays in .*data\.before-\d.*Say so with --yes\./,
    )
    expect(await upgradeDirectory({ dir, driver: 'binary' }, { ask: async () => false })).toMatchObject({
      state: 'declined',
    })
    expect(engineOf(dir).version).toBe(OLDER)
    const { code, stdout } = await upgrade(dir, '--yes', '--json')
    expect(code).toBe(0)
    const { state, from, to, copy } = JSON.parse(stdout)
    expect({ state, from, copy }).toEqual({ state: 'upgraded', from: OLDER, copy: join(dir, `data.before-${to}`) })
    expect(engineOf(dir).version).toBe(to)
    expect(existsSync(join(dir, 'data', 'upgrade.json'))).toBe(false)
    expect(await rows(dir, 'binary')).toBe(ROWS)
    expect(await sql(dir, 'embedded', 'RETURN 1')).toMatchObject({
      code: 1,
      json: { error: { code: 'PROCREF_NEWER_DATA' } },
    })
    expect(await rows(dir, 'binary')).toBe(ROWS)
    expect(JSON.parse((await upgrade(dir, '--json')).stdout)).toMatchObject({ state: 'current', from: to, to: null })
    // The way back.
    renameSync(join(dir, 'data'), join(dir, 'data.upgraded'))
    renameSync(copy, join(dir, 'data'))
    expect(await rows(dir, 'embedded')).toBe(ROWS)
  })

  testInTurn('`--upgrade` and connect({ whenOlder }) upgrade without a copy, once', async () => {
    const first = await olderData(storage)
    const start = ['start', '--dir', first, '--driver', 'binary', '--upgrade', '--json']
    const started = await finish(procref(start))
    expect(JSON.parse(started.stdout)).toMatchObject({ state: 'serving', server: { driver: 'surreal-binary' } })
    expect((await finish(procref(['stop', '--dir', first]))).code).toBe(0)
    expect(copiesIn(first)).toEqual([])
    expect(await rows(first, 'binary')).toBe(ROWS)
    const second = await olderData(storage)
    {
      await using lease = await connect({ dir: second, driver: 'binary', whenOlder: 'upgrade', lingerMs: 0 })
      expect(await lease.db.query('RETURN count(SELECT * FROM row)')).toEqual([ROWS])
    }
    expect(existsSync(join(second, 'data', 'upgrade.json'))).toBe(false)
  })

  testInTurn('connect({ whenOlder }) that finds a guardian which is just leaving upgrades all the same', async () => {
    const dir = await olderData(storage)
    const { nonce } = JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'))
    // Its own guardian has left; whoever just looks at the lock refuses it as well.
    const path = join(dir, `alive-${nonce}.lock`)
    const alive = await eventually('the lock of a guardian that has left', () => native().locks.tryLock(path))
    const waits = vi.fn(() => alive.release())
    await using lease = await connect({
      dir,
      driver: 'binary',
      whenOlder: 'upgrade',
      lingerMs: 0,
      onProgress: ({ step }) => void (step === 'waiting' && waits.mock.calls.length === 0 && waits()),
    })
    expect(waits).toHaveBeenCalled()
    expect(await lease.db.query('RETURN count(SELECT * FROM row)')).toEqual([ROWS])
  })

  test.each(shareOf(['locked', 'copied', 'named', 'accepted'] as const, storage, STORAGES))(
    'an upgrade that was killed when it had %s has changed nothing, and is done by the next one',
    async (step) => {
      const dir = await olderData(storage)
      const killed = atEnd(
        startProgram(process.execPath, {
          args: [fileURLToPath(new URL('./children/upgrade-until.mjs', import.meta.url)), dir, step],
        }),
      )
      expect(await killed.exited).toMatchObject({ signal: 'SIGKILL' })
      expect(engineOf(dir).version).toBe(OLDER)
      expect(await rows(dir, 'embedded')).toBe(ROWS)
      if (step === 'named') {
        const { code, stderr } = await upgrade(dir, '--yes')
        expect(code).toBe(1)
        expect(stderr).toMatch(/data\.before-.* is there already.*--no-copy/)
      }
      // The embedded engine has used up what was said before: it was there, and older.
      expect((await upgrade(dir, '--yes', ...(copiesIn(dir).some(isWhole) ? ['--no-copy'] : []))).code).toBe(0)
      expect(copiesIn(dir).filter((name) => !isWhole(name))).toEqual([])
      expect(await rows(dir, 'binary')).toBe(ROWS)
    },
  )
})

const isWhole = (name: string): boolean => !name.endsWith('.part')

describe.runIf(SURREAL !== undefined)('the line between versions', () => {
  test('a release that differs in the last number opens the data without a word', async () => {
    const dir = serviceDir()
    expect((await sql(dir, 'binary', 'CREATE row:1')).code).toBe(0)
    const { version } = engineOf(dir)
    writtenBy(dir, version.replace(/\.\d+$/, '.0'))
    expect(await rows(dir, 'binary')).toBe(1)
    expect(engineOf(dir).version).toBe(version)
  })

  test('what was said counts for the step that it was said of, and for no other', async () => {
    const dir = serviceDir()
    expect((await sql(dir, 'binary', 'CREATE row:1')).code).toBe(0)
    const { version, storage } = engineOf(dir)
    writtenBy(dir, '3.1.4')
    const consent = (from: string, to: string): void =>
      writeFileSync(
        join(dir, 'data', 'upgrade.json'),
        JSON.stringify({ from: { engine: 'surrealdb', version: from, storage }, to }),
        { mode: 0o600 },
      )
    for (const [from, to] of [
      ['3.1.3', version],
      ['3.1.4', '3.2.0'],
    ] as const) {
      consent(from, to)
      expect((await sql(dir, 'binary', 'RETURN 1')).json.error.code).toBe('PROCREF_UPGRADE_NEEDED')
    }
    writeFileSync(join(dir, 'data', 'upgrade.json'), 'rubbish', { mode: 0o600 })
    expect((await sql(dir, 'binary', 'RETURN 1')).json.error.code).toBe('PROCREF_UPGRADE_NEEDED')
    consent('3.1.4', version)
    expect(await rows(dir, 'binary')).toBe(1)
    writtenBy(dir, '3.1.4')
    expect((await sql(dir, 'binary', 'RETURN 1')).json.error.code).toBe('PROCREF_UPGRADE_NEEDED')
  })

  test('while somebody uses the directory nothing is upgraded', async () => {
    const dir = serviceDir()
    expect((await sql(dir, 'binary', 'CREATE row:1')).code).toBe(0)
    await using lease = await connect({ dir, driver: 'binary', lingerMs: 0 })
    writtenBy(dir, '3.1.4')
    const { code, stderr } = await upgrade(dir, '--yes')
    expect(code).toBe(1)
    expect(stderr).toMatch(/guardian\.lock is held.*its data cannot be upgraded under it/)
    expect(copiesIn(dir)).toEqual([])
    expect(await lease.db.query('RETURN count(SELECT * FROM row)')).toEqual([1])
  })

  test('where there are no data there is nothing to upgrade, and nothing is made', async () => {
    const dir = serviceDir()
    const { code, stdout } = await upgrade(dir)
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${dir} has no data yet\n` })
    expect(existsSync(dir)).toBe(false)
  })
})
