import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packages, publicPackages, root, runtimeDependencies } from './workspace.ts'

/** The same keys in the same order everywhere, so that two manifests differ only where the packages do. */
const KEY_ORDER = [
  ...[
    'name',
    'version',
    'private',
    'description',
    'keywords',
    'license',
    'type',
    'repository',
    'engines',
    'sideEffects',
  ],
  ...['bin', 'exports', 'files', 'publishConfig', 'napi', 'scripts'],
  ...['dependencies', 'optionalDependencies', 'peerDependencies', 'peerDependenciesMeta', 'devDependencies'],
]

describe.each(publicPackages())('the manifest of $manifest.name', ({ folder, dir, manifest }) => {
  test('says where it comes from, what it needs and that it may be published', () => {
    expect(manifest).toMatchObject({
      description: expect.stringMatching(/^\S.{10,120}\S$/),
      license: 'MIT',
      type: 'module',
      repository: { type: 'git', url: 'git+https://github.com/procref/procref.git', directory: folder },
      engines: { node: '>=20.19.0' },
      sideEffects: false,
      publishConfig: { access: 'public', provenance: true },
    })
  })

  test('has a README', () => {
    expect(existsSync(join(dir, 'README.md'))).toBe(true)
  })

  test('exports built files only, each with its types named first', () => {
    const { './package.json': itself, ...entries } = manifest.exports ?? {}
    expect(itself).toBe('./package.json')
    expect(Object.keys(entries)).toContain('.')
    for (const [entry, target] of Object.entries(entries)) {
      expect(target, entry).toEqual({
        types: expect.stringMatching(/^\.\/dist\/.+\.d\.ts$/),
        default: expect.stringMatching(/^\.\/dist\/.+\.js$/),
      })
      expect(Object.keys(target), entry).toEqual(['types', 'default'])
      for (const file of Object.values(target)) expect(existsSync(join(dir, file)), file).toBe(true)
    }
  })

  test('needs other packages of this repository by a range that a release fulfils', () => {
    const names = new Set(packages().map((other) => other.manifest.name))
    const ours = Object.entries(runtimeDependencies(manifest)).filter(([name]) => names.has(name))
    for (const [name, range] of ours) {
      // What may be missing may be of any version: by a narrower range each release of it would be a breaking one of ours.
      const isOptional = manifest.peerDependencies?.[name] !== undefined
      expect(`${name}@${range}`).toBe(`${name}@workspace:${isOptional ? '>=0.0.0' : '^'}`)
    }
    const unpublished = packages().filter((other) => other.manifest.private === true)
    for (const other of unpublished) expect(ours.map(([name]) => name)).not.toContain(other.manifest.name)
  })
})

describe.each(packages())('$folder', ({ folder, dir, manifest }) => {
  test('lists the keys of its manifest in the usual order', () => {
    const keys = Object.keys(manifest)
    expect(keys).toEqual(KEY_ORDER.filter((key) => keys.includes(key)))
  })

  test('references in its tsconfig.json exactly the packages whose types its sources need', () => {
    const names = new Map(packages().map((other) => [other.manifest.name, relative(dir, other.dir)]))
    const needed = Object.keys(runtimeDependencies(manifest)).flatMap((name) => names.get(name) ?? [])
    const tsconfig = JSON.parse(readFileSync(join(dir, 'tsconfig.json'), 'utf8')) as { references: { path: string }[] }
    expect(tsconfig.references.map(({ path }) => path).sort()).toEqual(needed.sort())
  })

  test('is built with the others', () => {
    const tsconfig = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { references: { path: string }[] }
    expect(tsconfig.references).toContainEqual({ path: folder })
  })
})

test('one dependency has one version in the whole repository', () => {
  const seen = new Map<string, string>()
  const examples = readdirSync(join(root, 'examples')).map((name) => join(root, 'examples', name))
  const manifests = [...packages().map(({ dir }) => dir), ...examples, root]
  for (const dir of manifests) {
    const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Parameters<
      typeof runtimeDependencies
    >[0]
    for (const [name, range] of Object.entries({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.devDependencies,
    })) {
      const before = seen.get(name) ?? range
      expect(`${name}@${range}`, dir).toBe(`${name}@${before}`)
      seen.set(name, before)
    }
  }
  expect(seen.size).toBeGreaterThan(10)
})

test('the version that a guardian writes down is that of its package', () => {
  const { manifest } =
    publicPackages().find(({ manifest }) => manifest.name === '@procref/lifecycle') ?? expect.unreachable()
  const source = readFileSync(join(root, 'packages/lifecycle/src/version.ts'), 'utf8')
  expect(source).toContain(`export const VERSION = '${manifest.version}'`)
})
