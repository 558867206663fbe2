import { MIGRATIONS, Mistake, Store } from '@procref/example-gsc'
import { atEnd } from '@procref/testing'
import { expect, test } from 'vitest'
import { freshGsc } from './shared.ts'

const LINGER_MS = 500

function storeOn(dir: string): Store {
  return atEnd(new Store({ dir, lingerMs: LINGER_MS }, 'test'))
}

test('programs that start at the same moment make each table once', async () => {
  const dir = freshGsc()
  const stores = Array.from({ length: 4 }, () => storeOn(dir))
  await Promise.all(stores.map((store) => store.lease()))
  for (const store of stores) {
    expect(await store.query('SELECT VALUE version FROM ONLY schema:gsc')).toEqual([MIGRATIONS.length])
    expect(
      await store.query('SELECT * FROM folder; SELECT * FROM file; SELECT * FROM spec; SELECT * FROM link'),
    ).toEqual([[], [], [], []])
  }
})

test('the database of a newer program is left alone, and the message says so', async () => {
  const dir = freshGsc()
  const newer = MIGRATIONS.length + 1
  await storeOn(dir).query('UPDATE schema:gsc SET version = $newer', { newer })
  const store = storeOn(dir)
  await expect(store.query('SELECT * FROM spec')).rejects.toThrow(Mistake)
  await expect(store.query('SELECT * FROM spec')).rejects.toThrow(`The database has schema version ${newer}`)
})

test('transactions that write one row at once are all carried out, one after the other', async () => {
  const dir = freshGsc()
  const stores = [storeOn(dir), storeOn(dir)]
  await stores[0]?.query('DEFINE TABLE counter; CREATE counter:one SET n = 0')
  const add = (store: Store): Promise<unknown> =>
    store.query(
      'BEGIN; LET $was = (SELECT VALUE n FROM ONLY counter:one); FOR $i IN [1] { UPDATE counter:one SET n = $was + $i }; COMMIT',
    )
  await Promise.all(stores.flatMap((store) => Array.from({ length: 25 }, () => add(store))))
  expect(await stores[1]?.query('SELECT VALUE n FROM ONLY counter:one')).toEqual([50])
})

test('the error of a transaction is that of the statement that failed', async () => {
  const store = storeOn(freshGsc())
  await expect(store.query("BEGIN; LET $a = 1; THROW 'for this reason'; LET $b = 2; COMMIT")).rejects.toThrow(
    'for this reason',
  )
})

test('a closed store answers nothing and takes no new lease', async () => {
  const store = storeOn(freshGsc())
  await store.lease()
  await store.close()
  await store.close()
  await expect(store.query('RETURN 1')).rejects.toThrow('the program ends')
})

test('leases that were closed leave nothing behind on standard input', async () => {
  const dir = freshGsc()
  const listeners = (): number => process.stdin.listenerCount('end') + process.stdin.listenerCount('close')
  const before = listeners()
  for (let i = 0; i < 3; i++) {
    const store = storeOn(dir)
    await store.lease()
    expect(listeners()).toBeGreaterThan(before)
    await store.close()
  }
  expect(listeners()).toBe(before)
})
