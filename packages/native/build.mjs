// Builds the native code of this package for this machine, beside package.json, where `src/load-binding.ts` looks first. Without
// Rust nothing is built, which is said, and is a failure only in CI: everything but native() and its sisters works without.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const cargo = spawnSync('cargo', ['--version'], { encoding: 'utf8' })
if (cargo.error !== undefined || cargo.status !== 0) {
  console.error(
    'NOTE: there is no Rust (cargo) here, so @procref/native IS NOT BUILT and its tests do not run; everything else does.',
  )
  process.exit(process.env.CI === 'true' ? 1 : 0)
}
const napi = createRequire(import.meta.url)
  .resolve('@napi-rs/cli/package.json')
  .replace('package.json', 'dist/cli.js')
const options = ['--platform', '--release', '--no-js', '--manifest-path', 'crates/node/Cargo.toml', '--output-dir', '.']
const dts = ['--dts', 'target/binding.d.ts']
const { status } = spawnSync(process.execPath, [napi, 'build', ...options, ...dts, '--', '--locked'], {
  cwd: here,
  stdio: 'inherit',
})
process.exit(status ?? 1)
