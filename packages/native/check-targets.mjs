// Type-checks and lints the Rust code for every target that package.json names, and for x86_64-pc-windows-gnu, which is what can be
// run under Wine. This needs the target's standard library, and no linker. A target whose library is not here is named, loudly, and is no
// failure; `--add` has rustup download it first.
//
//   node check-targets.mjs [--add] [TARGET...]
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** rustup's download takes seconds; a network that never answers must not hold up everything. */
const DOWNLOAD_MS = 120_000

const here = fileURLToPath(new URL('.', import.meta.url))
const { targets: published } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')).napi
const mayAdd = process.argv.includes('--add')
const asked = process.argv.slice(2).filter((argument) => argument !== '--add')
const targets = asked.length > 0 ? asked : [...published, 'x86_64-pc-windows-gnu']

const checked = []
const failed = []
const missing = []
for (const target of targets) {
  const problem = whyNotThere(target)
  if (problem !== undefined) missing.push(`${target} (${problem})`)
  else if (check(target)) checked.push(target)
  else failed.push(target)
}

console.log(`type-checked: ${checked.join(', ') || 'nothing'}`)
if (missing.length > 0) console.log(`NOTE: NOT CHECKED, because it cannot be had here: ${missing.join('; ')}`)
if (failed.length > 0) console.log(`DOES NOT COMPILE: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

function whyNotThere(target) {
  const installed = run('rustup', ['target', 'list', '--installed'], { stdio: 'pipe' })
  if (installed.status !== 0) return 'there is no rustup'
  if (installed.stdout.split('\n').includes(target)) return undefined
  if (!mayAdd) return `\`rustup target add ${target}\` brings it`
  const added = run('rustup', ['target', 'add', target], { stdio: 'pipe', timeout: DOWNLOAD_MS })
  if (added.status === 0) return undefined
  return added.stderr.trim().split('\n').at(-1) || 'rustup did not answer'
}

function check(target) {
  console.log(`--- ${target}`)
  // The crate that tests use to stand for the original program is for Linux.
  const crates = ['-p', 'procref-locks', '-p', 'procref-native']
  const args = ['clippy', '--locked', '--quiet', '--target', target, '--all-targets', ...crates, '--', '-D', 'warnings']
  return run('cargo', args, { stdio: 'inherit', env: { ...process.env, ...libnodeFor(target) } }).status === 0
}

/** napi-build wants Node as a library for MinGW; what is not linked is not read. */
function libnodeFor(target) {
  if (!target.endsWith('-windows-gnu')) return {}
  const folder = join(here, 'target', 'no-libnode')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'libnode.dll'), '')
  return { LIBNODE_PATH: folder }
}

function run(command, args, options) {
  return spawnSync(command, args, { cwd: here, encoding: 'utf8', ...options })
}
