import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { atEnd, eventually, freePort, freshDir, startProgram } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { RawClient } from './raw-client.ts'
import { startEmbedded } from './server.ts'

/** Each is synced to a disk that others write to as well. */
const WRITES_MS = 300_000
/** Under strace each of a thousand system calls stands still twice. */
const TRACED_MS = 180_000

const hasStrace = spawnSync('strace', ['-V']).status === 0
if (!hasStrace) console.warn('NOT RUN: counting of syncs, because strace is not installed')

describe.each(['rocksdb', 'surrealkv'] as const)('%s', { timeout: 2 * WRITES_MS }, (storage) => {
  test('every acknowledged write survives SIGKILL of the process', async () => {
    const databaseDir = `${freshDir()}/db`
    const acknowledged: number[] = []
    {
      await using server = await startEmbedded({ storage, databaseDir })
      const writers = await Promise.all(Array.from({ length: 4 }, () => RawClient.root(server.port)))
      await writers[0]?.query('DEFINE TABLE row')
      let next = 0
      const write = async (writer: RawClient): Promise<void> => {
        for (;;) {
          const id = next++
          await writer.query('CREATE type::record("row", $id)', { id })
          acknowledged.push(id)
        }
      }
      // Each ends with its connection.
      const writing = Promise.allSettled(writers.map(write))
      await eventually('some hundred writes are acknowledged', () => acknowledged.length > 400, WRITES_MS)
      server.child.kill('SIGKILL')
      await server.child.exited
      const ends = await writing
      expect(ends.map((end) => end.status === 'rejected' && `${end.reason}`)).toEqual(
        Array(4).fill(expect.stringContaining('disconnected')),
      )
    }
    await using server = await startEmbedded({ storage, databaseDir })
    await using client = await RawClient.root(server.port)
    const [rows] = (await client.query('SELECT VALUE record::id(id) FROM row')) as [number[]]
    const found = new Set(rows)
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([])
  })

  test.runIf(hasStrace)('each commit is synced to the disk before it is acknowledged', async () => {
    const trace = `${freshDir()}/trace`
    const port = await freePort()
    const options = JSON.stringify({ storage, databaseDir: `${freshDir()}/db`, port })
    const script = new URL('./children/server.mjs', import.meta.url).pathname
    // What another server was told must not weaken this one.
    const env = { SURREAL_DATASTORE_SYNC_DATA: 'never', SURREAL_SYNC_DATA: 'false' }
    const strace = ['-f', '-qq', '-e', 'trace=fsync,fdatasync', '-o', trace, process.execPath, script, options]
    const child = atEnd(startProgram('strace', { args: strace, env }))
    await child.event('ready', TRACED_MS)
    await using client = await RawClient.root(port)
    await client.query('DEFINE TABLE row')
    const syncs = (): number => readFileSync(trace, 'utf8').match(/(fsync|fdatasync)\(\d+\) += 0/g)?.length ?? 0
    for (let i = 0; i < 20; i++) {
      const before = syncs()
      await client.query('CREATE row')
      await eventually('strace has written it down', () => syncs() > before, TRACED_MS)
    }
    child.send('terminate')
    await child.event('ended', TRACED_MS)
  })

  test('live queries leave no row behind when their client goes, or the server stops', async () => {
    const databaseDir = `${freshDir()}/db`
    {
      await using server = await startEmbedded({ storage, databaseDir })
      await using watcher = await RawClient.root(server.port)
      await using leaver = await RawClient.root(server.port)
      await watcher.query('DEFINE TABLE row; LIVE SELECT * FROM row')
      await leaver.query('LIVE SELECT * FROM row')
      const txn = await leaver.result('begin')
      await leaver.query('LIVE SELECT * FROM row', {}, { txn })
      await leaver.result('commit', [txn])
      expect(await livesOf(watcher)).toHaveLength(3)
      leaver.socket.terminate()
      await eventually('only one is left', async () => (await livesOf(watcher)).length === 1)
      server.child.send('terminate')
      await server.child.event('ended')
    }
    await using again = await startEmbedded({ storage, databaseDir })
    await using client = await RawClient.root(again.port)
    expect(await livesOf(client)).toEqual([])
  })

  // The engine gives no means to remove them: they are of a node that is no more. See the README.
  test('after SIGKILL rows of live queries stay, which nobody is told of and which hinder no write', async () => {
    const databaseDir = `${freshDir()}/db`
    {
      await using server = await startEmbedded({ storage, databaseDir })
      await using watcher = await RawClient.root(server.port)
      await watcher.query('DEFINE TABLE row; LIVE SELECT * FROM row')
      server.child.kill('SIGKILL')
      await server.child.exited
    }
    await using again = await startEmbedded({ storage, databaseDir })
    await using client = await RawClient.root(again.port)
    const lives = await livesOf(client)
    expect(lives).toHaveLength(1)
    await client.query('CREATE row')
    expect(await client.call('query', [`KILL u"${lives[0]}"`])).toMatchObject({ result: [{ status: 'ERR' }] })
    await client.result('ping')
    expect(client.unasked).toEqual([])
  })
})

async function livesOf(client: RawClient): Promise<readonly string[]> {
  const [info] = (await client.query('INFO FOR TABLE row')) as [{ lives: object }]
  return Object.keys(info.lives)
}
