/**
 * Programs bundled in the usual ways, from copies of the packages that are removed afterwards: what a bundle can do it can do on another
 * machine, too.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { nativeCodeFile } from '@procref/native'
import { makeTempDir } from '@procref/testing'
import { build } from 'esbuild'
import webpack from 'webpack'

const ROOT = resolve(import.meta.dirname, '../..')

export const BUNDLERS = ['esbuild, ESM', 'esbuild, CommonJS', 'webpack'] as const
export type Bundler = (typeof BUNDLERS)[number]

export interface Bundle {
  readonly app: string
  readonly guardian: string
}

/** Bundles children/app.mjs and children/guardian.mjs into `folder`, and nothing else: no package, no native code. */
export async function bundleInto(folder: string, bundler: Bundler): Promise<Bundle> {
  await using workplace = makeTempDir()
  install(workplace.path)
  const sources = join(workplace.path, 'src')
  mkdirSync(sources)
  for (const name of ['app.mjs', 'guardian.mjs']) {
    copyFileSync(join(import.meta.dirname, 'children', name), join(sources, name))
  }
  const end = bundler === 'esbuild, ESM' ? 'mjs' : 'cjs'
  const bundle = { app: join(folder, `app.${end}`), guardian: join(folder, `guardian.${end}`) }
  if (bundler === 'webpack') await runWebpack(sources, folder)
  else await runEsbuild(sources, folder, bundler)
  return bundle
}

/** Puts the native code of @procref/native beside a bundle, which cannot be in it. */
export function shipNativeCode(folder: string): void {
  const file = nativeCodeFile()
  copyFileSync(file, join(folder, basename(file)))
}

/** Puts the engine of @procref/embedded beside a bundle, as an installed package. */
export function shipEngine(folder: string): void {
  const engine = realpathSync(join(ROOT, 'packages/embedded/node_modules/@surrealdb/node'))
  mkdirSync(join(folder, 'node_modules/@surrealdb'), { recursive: true })
  symlinkSync(engine, join(folder, 'node_modules/@surrealdb/node'))
}

/** Makes all packages, and what they need, available in a folder, as an installation does. */
function install(folder: string): void {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@procref'), { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@procref' && name !== 'procref') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    const copy = join(folder, 'packages', name)
    mkdirSync(copy, { recursive: true })
    const original = join(ROOT, 'packages', name)
    const parts = readdirSync(original).filter((part) => /^(package\.json|dist|node_modules|.+\.node)$/.test(part))
    execFileSync('cp', ['-a', ...parts.map((part) => join(original, part)), copy])
    symlinkSync(copy, join(modules, name === 'procref' ? name : `@procref/${name}`))
  }
}

async function runEsbuild(sources: string, folder: string, bundler: Bundler): Promise<void> {
  const esm = bundler === 'esbuild, ESM'
  await build({
    absWorkingDir: sources,
    entryPoints: ['app.mjs', 'guardian.mjs'],
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: esm ? 'esm' : 'cjs',
    outExtension: { '.js': esm ? '.mjs' : '.cjs' },
    // Names are made short in one of them: what is found by its name must not depend on it.
    minify: !esm,
    logLevel: 'error',
    ...(esm && { banner: { js: REQUIRE } }),
  })
}

/** ESM has no `require`, which packages of CommonJS need for Node's own modules. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"

async function runWebpack(sources: string, folder: string): Promise<void> {
  const compiler = webpack({
    mode: 'production',
    target: 'node20',
    context: sources,
    entry: { app: './app.mjs', guardian: './guardian.mjs' },
    output: { path: folder, filename: '[name].cjs', chunkFilename: '[name].chunk.cjs' },
    // Seconds of work that change nothing here.
    optimization: { minimize: false },
  })
  if (compiler === null) throw new Error('webpack has made no compiler')
  await new Promise<void>((done, failed) => {
    compiler.run((error, stats) => {
      if (error) return failed(error)
      if (stats?.hasErrors()) return failed(new Error(stats.toString({ all: false, errors: true })))
      compiler.close((cannot) => (cannot ? failed(cannot) : done()))
    })
  })
}

/** What people have beside a bundle whose packages are not in it: an installation. */
export async function bundleBeside(installation: string): Promise<string> {
  install(installation)
  const app = join(installation, 'dist/app.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'children/app.mjs')],
    outfile: app,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })
  writeFileSync(join(installation, 'package.json'), '{ "type": "module" }')
  return app
}
