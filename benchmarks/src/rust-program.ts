import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CannotPrepareError, type Unavailable } from './subject.ts'
import { findProgram } from './subjects/find-program.ts'

const LOCK = fileURLToPath(new URL('../rust/Cargo.lock', import.meta.url))
const MANIFEST = fileURLToPath(new URL('../rust/Cargo.toml', import.meta.url))
const REMEDY = 'install Rust 1.88 or newer (rustup); the first build fetches crates'
const run = promisify(execFile)

/** Builds a program of `rust/`; its path. What cargo made is kept for the next run, and is all that one leaves behind: it is a minute's work. */
export async function buildRustProgram(name: string): Promise<string> {
  const target = join(cacheDir(), 'rust')
  await mkdir(target, { recursive: true, mode: 0o700 })
  const args = ['build', '--quiet', '--release', '--locked', '--manifest-path', MANIFEST, '--target-dir', target]
  try {
    await run('cargo', [...args, '--bin', name])
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new CannotPrepareError({ reason: `cargo could not build it: ${said}`, remedy: REMEDY }, { cause: error })
  }
  return join(target, 'release', name)
}

/** The version of a crate that the programs are built with. */
export function crateVersion(name: string): string {
  const [, version] = new RegExp(`^name = "${name}"\nversion = "(.+)"$`, 'm').exec(readFileSync(LOCK, 'utf8')) ?? []
  if (version === undefined) throw new Error(`${LOCK} has no crate ${name}`)
  return version
}

/** What a subject in Rust says where it cannot be built. */
export function cargoMissing(): Unavailable | undefined {
  if (process.platform === 'win32') return { reason: 'it is made of system calls of Unix', remedy: 'run it on Linux' }
  return findProgram('cargo') === undefined ? { reason: 'there is no program cargo', remedy: REMEDY } : undefined
}

/** `$PROCREF_BENCH_CACHE`, else where the XDG Base Directory Specification has it. */
function cacheDir(): string {
  const { PROCREF_BENCH_CACHE: own = '', XDG_CACHE_HOME: everybodys = '' } = process.env
  if (own !== '') return own
  return join(everybodys === '' ? join(homedir(), '.cache') : everybodys, 'procref-bench')
}
