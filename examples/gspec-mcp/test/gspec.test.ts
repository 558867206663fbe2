import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { eventually, freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import type { Program } from '../../gsc/test/program.ts'
import { freshGsc, start } from '../../gsc/test/shared.ts'

const POOL = `export class Pool {
  claim(): number {
    return 1
  }

  release(): void {}
}
`

interface TouchedAnswer {
  readonly touched: readonly { readonly spec: { readonly id: string }; readonly links: readonly object[] }[]
}

/** A repository with one commit. */
function repository(): string {
  const dir = freshDir()
  mkdirSync(join(dir, 'src'))
  writeFileSync(join(dir, 'src/pool.ts'), POOL)
  writeFileSync(join(dir, 'src/other.ts'), 'export function release() {}\n')
  git(dir, 'init', '--quiet')
  commit(dir)
  return dir
}

function commit(dir: string): void {
  git(dir, 'add', '--all')
  git(dir, '-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '--message', 'test')
}

function git(dir: string, ...args: readonly string[]): void {
  execFileSync('git', ['-C', dir, ...args])
}

/** A specification that is linked to `Pool.claim` of an indexed repository. */
async function linked(): Promise<{ gcode: Program; gspec: Program; folder: string }> {
  const dir = freshGsc()
  const folder = repository()
  const [gcode, gspec] = await Promise.all([start('gcode', dir), start('gspec', dir)])
  await gcode.call('index_folder', { folder })
  await gspec.call('create_spec', { id: 'claim', title: 'A claim never waits', text: 'It returns at once.' })
  await gspec.call('link_symbol', { spec: 'claim', symbol: 'Pool.claim' })
  return { gcode, gspec, folder }
}

const touchedIds = async (gspec: Program, input: object = {}): Promise<readonly string[]> =>
  (await gspec.call<TouchedAnswer>('touched_specs', input)).touched.map(({ spec }) => spec.id)

const stateOf = async (gspec: Program, id: string): Promise<readonly string[]> =>
  (await gspec.call<{ links: { state: string }[] }>('show_spec', { id })).links.map(({ state }) => state)

test('specifications are kept, changed, listed, searched and shown without gcode ever started', async () => {
  const gspec = await start('gspec', freshGsc())
  await gspec.call('create_spec', { id: 'claim', title: 'A claim never waits', text: 'It returns **at once**.' })
  await gspec.call('create_spec', {
    id: 'stop',
    title: 'The last one stops the server',
    text: 'Also by kill -9.',
    status: 'accepted',
  })
  expect(await gspec.call('list_specs', { status: 'accepted' })).toMatchObject({ specs: [{ id: 'stop' }] })
  expect(await gspec.call('search_specs', { words: 'ONCE claim' })).toMatchObject({ specs: [{ id: 'claim' }] })
  expect(await gspec.call('search_specs', { words: 'once server' })).toEqual({ specs: [] })
  await gspec.call('update_spec', { id: 'claim', status: 'implemented' })
  expect(await gspec.call('show_spec', { id: 'claim' })).toMatchObject({
    spec: { title: 'A claim never waits', text: 'It returns **at once**.', status: 'implemented' },
    links: [],
  })
})

test('a link to what is not indexed is pending, and waits for its first review once it is', async () => {
  const dir = freshGsc()
  const gspec = await start('gspec', dir)
  await gspec.call('create_spec', { id: 'claim', title: 'A claim never waits', text: '' })
  expect(await gspec.text('link_symbol', { spec: 'claim', symbol: 'Pool.claim' })).toMatch(
    /pending.*call index_folder of gcode/,
  )
  expect(await touchedIds(gspec)).toEqual([])

  const gcode = await start('gcode', dir)
  await gcode.call('index_folder', { folder: repository() })
  expect(await stateOf(gspec, 'claim')).toEqual(['unreviewed'])
  expect(await touchedIds(gspec)).toEqual(['claim'])
  expect(await gspec.call('review_links', { spec: 'claim' })).toEqual({ reviewed: ['Pool.claim'] })
  expect(await stateOf(gspec, 'claim')).toEqual(['current'])
})

test('a link is stale from when its symbol was changed and indexed until it is reviewed; a change elsewhere is none', async () => {
  const { gcode, gspec, folder } = await linked()
  writeFileSync(join(folder, 'src/pool.ts'), POOL.replace('release(): void {}', 'release(): void { this.claim() }'))
  await gcode.call('index_folder', { folder })
  expect(await stateOf(gspec, 'claim')).toEqual(['current'])
  writeFileSync(join(folder, 'src/pool.ts'), `\n\n${POOL.replace('return 1', 'return 2')}`)
  await gcode.call('index_folder', { folder })
  expect(await gspec.call('touched_specs')).toMatchObject({
    touched: [
      {
        spec: { id: 'claim' },
        links: [{ state: 'stale', why: 'changed since it was reviewed', at: `${folder}/src/pool.ts:4` }],
      },
    ],
  })
  await gspec.call('review_links', { spec: 'claim', symbol: 'Pool.claim' })
  expect(await touchedIds(gspec)).toEqual([])
})

test('a symbol that goes is missing, and one that moves to another file is not', async () => {
  const { gcode, gspec, folder } = await linked()
  writeFileSync(join(folder, 'src/moved.ts'), POOL)
  rmSync(join(folder, 'src/pool.ts'))
  await gcode.call('index_folder', { folder })
  expect(await stateOf(gspec, 'claim')).toEqual(['current'])
  rmSync(join(folder, 'src/moved.ts'))
  await gcode.call('index_folder', { folder })
  expect(await gspec.call('touched_specs')).toMatchObject({
    touched: [{ links: [{ state: 'missing', why: 'no longer there' }] }],
  })
})

test('the files of a change, and the lines of a git range, say which specifications it touches', async () => {
  const { gcode, gspec, folder } = await linked()
  expect(await touchedIds(gspec, { files: ['src/pool.ts'] })).toEqual(['claim'])
  expect(await touchedIds(gspec, { files: [`${folder}/src/pool.ts`] })).toEqual(['claim'])
  expect(await touchedIds(gspec, { files: ['src/other.ts', 'ool.ts'] })).toEqual([])

  const diff = { folder, range: 'HEAD' }
  expect(await touchedIds(gspec, { diff })).toEqual([])
  writeFileSync(join(folder, 'src/pool.ts'), POOL.replace('release(): void {}', 'release(): void { this.claim() }'))
  await gcode.call('index_folder', { folder })
  expect(await touchedIds(gspec, { diff })).toEqual([])
  writeFileSync(join(folder, 'src/pool.ts'), POOL.replace('return 1', 'return 2'))
  await gcode.call('index_folder', { folder })
  expect(await touchedIds(gspec, { diff })).toEqual(['claim'])
  commit(folder)
  expect(await touchedIds(gspec, { diff })).toEqual([])
  expect(await gspec.text('touched_specs', { diff: { folder, range: 'HEAD~1..HEAD' } })).toMatch(/changed in lines 3-3/)

  await gspec.call('update_spec', { id: 'claim', status: 'retired' })
  expect(await touchedIds(gspec, { files: ['src/pool.ts'] })).toEqual([])
})

test('mistakes are answered with what to do next', async () => {
  const { gspec, folder } = await linked()
  expect(await gspec.mistake('create_spec', { id: 'claim', title: 'x', text: '' })).toMatch(
    /Change it with update_spec/,
  )
  expect(await gspec.mistake('create_spec', { id: 'no spaces', title: 'x', text: '' })).toMatch(/letters, digits/)
  expect(await gspec.mistake('show_spec', { id: 'clam' })).toMatch(
    /^There is no specification clam\. There are: claim\./,
  )
  expect(await gspec.mistake('link_symbol', { spec: 'nosuch', symbol: 'Pool' })).toMatch(
    /^There is no specification nosuch/,
  )
  expect(await gspec.mistake('link_symbol', { spec: 'claim', symbol: 'release' })).toMatch(
    /can be any of 2 symbols\. Give one of: src\/other\.ts#release, src\/pool\.ts#Pool\.release/,
  )
  expect(await gspec.mistake('unlink_symbol', { spec: 'claim', symbol: 'claim' })).toMatch(/Its links: Pool\.claim/)
  expect(await gspec.mistake('touched_specs', { diff: { folder, range: 'nosuch' } })).toMatch(
    /bad revision|unknown revision/,
  )
  expect(await gspec.mistake('touched_specs', { diff: { folder, range: '--output=x' } })).toMatch(/is no range/)
  expect(await gspec.mistake('touched_specs', { diff: { folder: freshDir(), range: 'HEAD' } })).toMatch(
    /not a git repository/,
  )
  expect(await gspec.mistake('touched_specs', { diff: { folder, range: 'HEAD' }, files: ['a'] })).toMatch(/not both/)
})

test('a link made twice is one link, and unlinking takes it away', async () => {
  const { gspec } = await linked()
  await gspec.call('link_symbol', { spec: 'claim', symbol: 'Pool.claim' })
  expect(await stateOf(gspec, 'claim')).toEqual(['current'])
  await gspec.call('unlink_symbol', { spec: 'claim', symbol: 'Pool.claim' })
  expect(await stateOf(gspec, 'claim')).toEqual([])
})

test('gcode shows the specifications of a symbol', async () => {
  const { gcode } = await linked()
  expect(await gcode.call('definition', { symbol: 'claim' })).toMatchObject({
    definitions: [{ qualified: 'Pool.claim', specs: ['claim'] }],
  })
  expect(await gcode.call('definition', { symbol: 'Pool.release' })).toMatchObject({ definitions: [{ specs: [] }] })
})

test('whoever subscribed hears when gcode has indexed a change to a linked symbol, and when a specification was written', async () => {
  const { gcode, gspec, folder } = await linked()
  const heard: string[] = []
  gspec.client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri))
  await gspec.client.subscribeResource({ uri: 'gspec://touched' })
  await gspec.client.subscribeResource({ uri: 'gspec://spec/claim' })
  writeFileSync(join(folder, 'src/pool.ts'), POOL.replace('return 1', 'return 2'))
  await gcode.call('index_folder', { folder })
  await eventually('the news of the symbol', () => heard.includes('gspec://touched'))
  expect(await gspec.read('gspec://touched')).toMatchObject({ touched: [{ spec: { id: 'claim' } }] })
  await gspec.call('update_spec', { id: 'claim', text: 'New.' })
  await eventually('the news of the text', () => heard.includes('gspec://spec/claim'))
  expect(await gspec.read('gspec://spec/claim')).toMatchObject({ spec: { text: 'New.' }, links: [{ state: 'stale' }] })
  const { resources } = await gspec.client.listResources()
  expect(resources.map(({ uri }) => uri)).toEqual(['gspec://touched', 'gspec://spec/claim'])
})
