import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { sourceFiles } from '../src/walk.ts'

function folderOf(files: Readonly<Record<string, string>>): string {
  const dir = freshDir()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return dir
}

async function walked(root: string): Promise<{ files: readonly string[]; unreadable: readonly string[] }> {
  const files: string[] = []
  const unreadable: string[] = []
  for await (const path of sourceFiles(root, new AbortController().signal, (path) => unreadable.push(path)))
    files.push(path)
  return { files: files.sort(), unreadable }
}

const IGNORING = {
  '.gitignore': 'dist/\n*.gen.ts\n/only-here.ts\n!keep.gen.ts\n# comment.ts\n',
  'a.ts': '',
  'comment.ts': '',
  'dist/built.js': '',
  'keep.gen.ts': '',
  'only-here.ts': '',
  'sub/.gitignore': 'local.py\n!important.gen.ts\n/dist2/**\n',
  'sub/dist2/x.ts': '',
  'sub/important.gen.ts': '',
  'sub/local.py': '',
  'sub/only-here.ts': '',
  'sub/other.gen.ts': '',
  'sub/deep/dist/built.ts': '',
  'sub/deep/local.py': '',
  'sub/deep/ok.rs': '',
  'notes.md': '',
}

test('exactly those source files are found that git does not ignore', async () => {
  const dir = folderOf(IGNORING)
  const git = (...args: readonly string[]): string => execFileSync('git', ['-C', dir, ...args], { encoding: 'utf8' })
  git('init', '--quiet')
  writeFileSync(join(dir, '.git/info/exclude'), 'comment.ts\n')
  const asGit = git('ls-files', '--others', '--cached', '--exclude-standard')
    .split('\n')
    .filter((path) => /\.(ts|py|rs|js)$/.test(path))
  const { files } = await walked(dir)
  expect(files).toEqual(asGit.sort())
  expect(files).toContain('sub/important.gen.ts')
  expect(files).not.toContain('comment.ts')
})

test('the rules of the repository around a folder hold in it, and without a repository those of the folder itself', async () => {
  const dir = folderOf(IGNORING)
  expect((await walked(join(dir, 'sub'))).files).toEqual([
    'deep/dist/built.ts',
    'deep/ok.rs',
    'important.gen.ts',
    'only-here.ts',
    'other.gen.ts',
  ])
  mkdirSync(join(dir, '.git'))
  expect((await walked(join(dir, 'sub'))).files).toEqual(['deep/ok.rs', 'important.gen.ts', 'only-here.ts'])
})

test('symbolic links, node_modules and .git are not entered', async () => {
  const dir = folderOf({ 'a.ts': '', 'node_modules/x/index.js': '', '.git/hooks/x.py': '' })
  const outside = folderOf({ 'secret.ts': '' })
  symlinkSync(outside, join(dir, 'linked'))
  symlinkSync(join(outside, 'secret.ts'), join(dir, 'linked.ts'))
  symlinkSync(dir, join(dir, 'round'))
  expect(await walked(dir)).toEqual({ files: ['a.ts'], unreadable: [] })
})

test('a folder that vanishes while we walk is told and does not end the walk', async () => {
  const dir = folderOf({ 'a.ts': '', 'b/gone.ts': '', 'c.ts': '' })
  const files: string[] = []
  const unreadable: string[] = []
  for await (const path of sourceFiles(dir, new AbortController().signal, (path) => unreadable.push(path))) {
    files.push(path)
    if (path === 'a.ts') rmSync(join(dir, 'b'), { recursive: true })
  }
  expect({ files, unreadable }).toEqual({ files: ['a.ts', 'c.ts'], unreadable: ['b'] })
})

test('an aborted walk ends with the reason', async () => {
  const dir = folderOf({ 'a.ts': '', 'b/c.ts': '' })
  const over = new AbortController()
  const walk = async (): Promise<void> => {
    for await (const _ of sourceFiles(dir, over.signal, () => {})) over.abort(new Error('enough'))
  }
  await expect(walk()).rejects.toThrow('enough')
})
