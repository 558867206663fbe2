// Makes the packages with the native code, one a platform, from the list of targets in package.json: `npm/<platform>/`. They are packages
// of the workspace, so that changesets gives all of them one version, and optional dependencies of @procref/native, so that a package
// manager installs the one that fits. `--check` only says whether what is committed is up to date.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const PLATFORMS = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' }
const LIBCS = { gnu: 'glibc', musl: 'musl' }

const main = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'))
const check = process.argv.includes('--check')
const outdated = []

for (const target of main.napi.targets) makePackage(target)
const wanted = main.napi.targets.map(platformOf)
for (const folder of existsSync(join(HERE, 'npm')) ? readdirSync(join(HERE, 'npm')) : []) {
  if (!wanted.includes(folder)) remove(join('npm', folder))
}
const optionalDependencies = Object.fromEntries(wanted.map((name) => [`@procref/native-${name}`, 'workspace:*']).sort())
put('package.json', withOptionalDependencies(optionalDependencies))

if (outdated.length > 0) {
  console.error(`Out of date: ${outdated.join(', ')}. Run \`node packages/native/platforms.mjs\`.`)
  process.exitCode = 1
}

/** `x86_64-unknown-linux-gnu` → `linux-x64-gnu`, as napi-rs names files and packages. */
function platformOf(target) {
  const cpu = target.startsWith('x86_64') ? 'x64' : 'arm64'
  if (target.includes('-apple-')) return `darwin-${cpu}`
  return target.includes('-windows-') ? `win32-${cpu}-msvc` : `linux-${cpu}-${target.split('-').at(-1)}`
}

function makePackage(target) {
  const platform = platformOf(target)
  const [os, cpu, libc] = platform.split('-')
  const folder = join('npm', platform)
  const file = `${main.napi.binaryName}.${platform}.node`
  const manifest = {
    name: `@procref/native-${platform}`,
    version: versionIn(folder),
    description: `The native code of @procref/native for ${target}`,
    license: main.license,
    repository: { ...main.repository, directory: `packages/native/npm/${platform}` },
    engines: main.engines,
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' && { libc: [LIBCS[libc]] }),
    main: file,
    files: [file],
    publishConfig: main.publishConfig,
  }
  put(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  put(
    join(folder, 'README.md'),
    `# ${manifest.name}

The native code of [@procref/native](../../README.md) for ${PLATFORMS[os]} on ${cpu}${os === 'linux' ? ` with ${LIBCS[libc]}` : ''} (\`${target}\`). Install
\`@procref/native\`: it brings the package that fits by itself.
`,
  )
}

/** changesets sets the versions; a new package begins with that of the others. */
function versionIn(folder) {
  const path = join(HERE, folder, 'package.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : main.version
}

function withOptionalDependencies(dependencies) {
  const manifest = {}
  for (const [key, value] of Object.entries(main)) {
    if (key === 'optionalDependencies') continue
    manifest[key] = value
    if (key === 'dependencies') manifest.optionalDependencies = dependencies
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

function put(path, text) {
  const full = join(HERE, path)
  if (existsSync(full) && readFileSync(full, 'utf8') === text) return
  if (check) {
    outdated.push(path)
    return
  }
  mkdirSync(join(full, '..'), { recursive: true })
  writeFileSync(full, text)
}

function remove(path) {
  if (check) outdated.push(path)
  else rmSync(join(HERE, path), { recursive: true })
}
