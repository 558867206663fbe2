// Makes a folder that needs nothing but Node: node src/build.mjs [<folder>]
import { copyFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nativeCodeFile } from '@procref/native'
import { build } from 'esbuild'

const folder = resolve(process.argv[2] ?? 'dist')

await build({
  absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
  entryPoints: ['app.mjs', 'guardian.mjs'],
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // Packages of CommonJS (ws) require Node's own modules, which esbuild does not translate.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
})

// Native code cannot be in a bundle. This is for the platform that the bundle is made on; each platform has its own.
const native = nativeCodeFile()
copyFileSync(native, join(folder, basename(native)))
