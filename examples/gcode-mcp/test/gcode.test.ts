import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { atEnd, eventually, freshDir, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'
import { binOf, type Program } from '../../gsc/test/program.ts'
import { freshGsc, start } from '../../gsc/test/shared.ts'

interface IndexCounts {
  readonly root: string
  readonly added: number
  readonly changed: number
  readonly deleted: number
  readonly unchanged: number
  readonly files: number
}

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const dir = freshDir()
  for (const [path, text] of Object.entries(files)) write(dir, path, text)
  return dir
}

function write(dir: string, path: string, text: string): void {
  mkdirSync(join(dir, path, '..'), { recursive: true })
  writeFileSync(join(dir, path), text)
}

const POOL = `export class Pool {
  claim(wait: boolean): number {
    return lock(wait)
  }
}
`
const LOCK = `export function lock(wait: boolean): number {
  return wait ? 1 : 0
}
export const retry = () => lock(true)
`

async function indexed(files: Readonly<Record<string, string>>): Promise<{ gcode: Program; folder: string }> {
  const gcode = await start('gcode', freshGsc())
  const folder = folderOf(files)
  await gcode.call('index_folder', { folder })
  return { gcode, folder }
}

test('every tool has a description, a schema of its input and one of its answer, and says whether it only reads', async () => {
  const gcode = await start('gcode', freshGsc())
  const { tools } = await gcode.client.listTools()
  expect(tools.map(({ name }) => name).sort()).toEqual(
    [
      'callers',
      'definition',
      'find_symbols',
      'forget_folder',
      'index_folder',
      'list_folders',
      'outline',
      'references',
    ].sort(),
  )
  for (const tool of tools) {
    expect(tool.description, tool.name).toMatch(/^[A-Z].{20,}/)
    expect(tool.outputSchema?.properties, tool.name).toBeDefined()
    expect(tool.annotations?.readOnlyHint, tool.name).toBeTypeOf('boolean')
  }
})

test('a second run writes only what was added, changed or deleted since the first', async () => {
  const { gcode, folder } = await indexed({
    'src/pool.ts': POOL,
    'src/lock.ts': LOCK,
    'src/old.py': 'def old(): pass\n',
  })
  const run = () => gcode.call<IndexCounts>('index_folder', { folder })
  expect(await run()).toMatchObject({ added: 0, changed: 0, deleted: 0, unchanged: 3, files: 3 })

  write(folder, 'src/pool.ts', POOL.replace('claim', 'take'))
  write(folder, 'src/new.go', 'package p\nfunc New() int { return 1 }\n')
  rmSync(join(folder, 'src/old.py'))
  expect(await run()).toMatchObject({ added: 1, changed: 1, deleted: 1, unchanged: 1, files: 3 })
  const names = async (query: string) =>
    (await gcode.call<{ symbols: { qualified: string }[] }>('find_symbols', { query })).symbols.map((s) => s.qualified)
  expect(await names('New')).toContain('New')
  expect(await names('take')).toEqual(['Pool.take'])
  expect(await names('claim')).toEqual([])
  expect(await names('old')).toEqual([])
})

test('a file that is too big is said to be skipped, and what was indexed of it is gone', async () => {
  const { gcode, folder } = await indexed({ 'a.ts': POOL, 'b.ts': LOCK })
  write(folder, 'a.ts', `${POOL}// ${'x'.repeat(1_000_000)}\n`)
  expect(await gcode.call('index_folder', { folder })).toMatchObject({
    skipped: [{ path: 'a.ts', reason: expect.stringMatching(/^\d+ bytes: more than 1000000/) }],
    unchanged: 1,
    files: 1,
  })
  expect(await gcode.mistake('definition', { symbol: 'Pool' })).toMatch(/^No indexed symbol is called Pool/)
})

test('symbols are found by how their names begin, by a part, by a typo and by left out letters; the best comes first', async () => {
  const { gcode } = await indexed({
    'a.ts': 'export class SlotPool {}\nexport function poolOfSlots() {}\nexport class Other {}\n',
  })
  const find = async (query: string) =>
    (await gcode.call<{ symbols: { name: string; match: string }[] }>('find_symbols', { query })).symbols
  expect(await find('slotp')).toMatchObject([{ name: 'SlotPool', match: 'prefix' }])
  expect(await find('pool')).toMatchObject([
    { name: 'poolOfSlots', match: 'prefix' },
    { name: 'SlotPool', match: 'part' },
  ])
  expect(await find('SlotPolo')).toMatchObject([{ name: 'SlotPool', match: 'similar' }])
  expect(await find('sltpl')).toMatchObject([{ name: 'SlotPool', match: 'similar' }])
  expect(await find('.*')).toEqual([])
})

test('a definition is shown with its source, until its file changes', async () => {
  const { gcode, folder } = await indexed({ 'src/pool.ts': POOL })
  const show = () => gcode.call<{ definitions: object[] }>('definition', { symbol: 'Pool.claim' })
  expect((await show()).definitions).toMatchObject([
    { path: 'src/pool.ts', line: 2, endLine: 4, outdated: false, source: expect.stringContaining('return lock(wait)') },
  ])
  write(folder, 'src/pool.ts', `// One line more.\n${POOL}`)
  const { definitions } = await show()
  expect(definitions).toMatchObject([{ outdated: true }])
  expect(definitions[0]).not.toHaveProperty('source')
})

test('references and callers say where, how and from what', async () => {
  const { gcode } = await indexed({ 'src/pool.ts': `import { lock } from './lock.ts'\n${POOL}`, 'src/lock.ts': LOCK })
  expect(await gcode.call('references', { symbol: 'lock' })).toMatchObject({
    total: 3,
    symbols: [{ path: 'src/lock.ts', qualified: 'lock', kind: 'function' }],
    references: [
      { path: 'src/lock.ts', line: 4, kind: 'call', within: 'retry' },
      { path: 'src/pool.ts', line: 1, kind: 'import' },
      { path: 'src/pool.ts', line: 4, kind: 'call', within: 'Pool.claim' },
    ],
  })
  expect(await gcode.call('callers', { symbol: 'src/lock.ts#lock' })).toMatchObject({
    callers: [
      { path: 'src/lock.ts', qualified: 'retry', lines: [4] },
      { path: 'src/pool.ts', qualified: 'Pool.claim', lines: [4] },
    ],
  })
})

test('an outline lists the symbols of one file in their order', async () => {
  const { gcode, folder } = await indexed({ 'src/pool.ts': POOL, 'src/lock.ts': LOCK })
  const outline = { path: 'src/lock.ts', symbols: [{ qualified: 'lock' }, { qualified: 'retry' }] }
  expect(await gcode.call('outline', { file: 'lock.ts' })).toMatchObject(outline)
  expect(await gcode.read(`gcode://outline/${folder}/src/lock.ts`)).toMatchObject(outline)
})

test('mistakes are answered with what to do next', async () => {
  const gcode = await start('gcode', freshGsc())
  expect(await gcode.mistake('definition', { symbol: 'claim' })).toMatch(/^Nothing is indexed yet\. Call index_folder/)
  expect(await gcode.mistake('outline', { file: 'a.ts' })).toMatch(/^Nothing is indexed yet/)
  expect(await gcode.mistake('index_folder', { folder: '/no/such/folder' })).toMatch(
    /^There is no folder \/no\/such\/folder/,
  )

  const folder = folderOf({ 'a/index.ts': POOL, 'b/index.ts': LOCK })
  expect(await gcode.mistake('index_folder', { folder: `${folder}/a/index.ts` })).toMatch(/is a file\. Give the folder/)
  await gcode.call('index_folder', { folder })
  expect(await gcode.mistake('outline', { file: 'index.ts' })).toContain(`${folder}/a/index.ts\n${folder}/b/index.ts`)
  expect(await gcode.mistake('outline', { file: 'c.ts' })).toMatch(/^c\.ts is not indexed/)
  expect(await gcode.mistake('definition', { symbol: 'Pool.clam' })).toMatch(
    /^No indexed symbol is called Pool\.clam\. Similar: a\/index\.ts#Pool\.claim/,
  )
  expect(await gcode.mistake('definition', { symbol: '#' })).toMatch(/names no symbol/)
  expect(await gcode.mistake('index_folder', { folder: `${folder}/a` })).toContain(
    `lies in the indexed folder ${folder}`,
  )
  expect(await gcode.mistake('find_symbols', { query: 'x', folder: freshDir() })).toMatch(
    /is not indexed\. Call index_folder/,
  )
  expect(await gcode.mistake('find_symbols', { query: 'x', limit: 0 })).toMatch(/limit/)
})

test('a forgotten folder is gone from the index, and its place is free for others', async () => {
  const { gcode, folder } = await indexed({ 'a/pool.ts': POOL })
  expect(await gcode.call('forget_folder', { folder })).toEqual({ root: folder, files: 1 })
  expect(await gcode.call('list_folders')).toEqual({ folders: [] })
  expect(await gcode.mistake('definition', { symbol: 'Pool' })).toMatch(/^Nothing is indexed yet/)
  await gcode.call('index_folder', { folder: `${folder}/a` })
})

/**
 * A run that was cancelled when it first told how far it is. `undefined`: it was done by then, also if what it told is read together with its
 * answer, which the client takes first.
 */
async function cancelledRun(): Promise<{ readonly gcode: Program; readonly folder: string } | undefined> {
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`src/f${i}.ts`, `${POOL}// ${i}\n${LOCK.repeat(20)}`]),
  )
  const gcode = await start('gcode', freshGsc())
  const folder = folderOf(many)
  const cancel = new AbortController()
  const seen: number[] = []
  const cancelled = gcode.call(
    'index_folder',
    { folder },
    {
      signal: cancel.signal,
      onProgress: ({ progress, total }) => {
        expect(total).toBe(300)
        seen.push(progress)
        if (progress > 0) cancel.abort('no longer wanted')
      },
    },
  )
  const outcome = await cancelled.then(
    () => 'done',
    (error: Error) => error.message,
  )
  if (outcome === 'done') return undefined
  expect(outcome).toContain('no longer wanted')
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  const { folders } = await gcode.call<{ folders: { indexedAt?: string }[] }>('list_folders')
  expect(folders).toHaveLength(1)
  return folders[0]?.indexedAt === undefined ? { gcode, folder } : undefined
}

test('indexing tells how far it is, and a cancelled run is taken up by the next', async () => {
  // On a busy machine a run can be done before it hears of it.
  let run: Awaited<ReturnType<typeof cancelledRun>>
  for (let tries = 0; run === undefined && tries < 5; tries++) run = await cancelledRun()
  const { gcode, folder } = run ?? expect.unreachable('it was done each time before it was cancelled')
  const { added, changed, unchanged, files } = await gcode.call<IndexCounts>('index_folder', { folder })
  expect({ files, changed, sum: added + unchanged }).toEqual({ files: 300, changed: 0, sum: 300 })
  expect(added).toBeGreaterThan(0)
})

test('whoever subscribed to the folders hears that another program has indexed one', async () => {
  const dir = freshGsc()
  const [one, other] = await Promise.all([start('gcode', dir), start('gcode', dir)])
  await one.call('list_folders')
  const heard: string[] = []
  one.client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri))
  await one.client.subscribeResource({ uri: 'gcode://folders' })
  const folder = folderOf({ 'a.ts': POOL })
  await other.call('index_folder', { folder })
  await eventually('the news arrives', () => heard.includes('gcode://folders'))
  expect(await one.read('gcode://folders')).toMatchObject({ folders: [{ root: folder, files: 1 }] })
})

test('nothing but the protocol is written to standard output', async () => {
  const { gcode } = await indexed({ 'a.ts': POOL })
  await gcode.mistake('definition', { symbol: 'nosuch' })
  expect(gcode.errors).toEqual([])
  expect(gcode.stderr()).toMatch(/connected to ws:\/\/127\.0\.0\.1:/)
})

test.each([
  ['--driver', 'mysql'],
  ['--dir', 'relative'],
  ['--linger-ms', 'soon'],
  ['--nonsense', 'x'],
])('%s %s is refused with exit code 2 and the options', async (...args) => {
  const child = atEnd(startProgram(process.execPath, { args: [binOf('gcode'), ...args] }))
  expect(await child.exited).toEqual({ code: 2, signal: null })
  expect(child.stderr()).toMatch(/Options: --dir DIR/)
  expect(child.stdout()).toBe('')
})
