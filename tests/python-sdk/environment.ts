import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { flock } from '@procref/flock'

const run = promisify(execFile)

const REQUIREMENTS = resolve(import.meta.dirname, 'requirements.txt')
/** Ignored by git, and gone with what `pnpm install` made. */
const KEPT = resolve(import.meta.dirname, '../../node_modules/.cache/procref-python')

/** Downloading and unpacking some 20 packages; reaching it means "hangs". */
const INSTALL_LIMIT_MS = 600_000

/**
 * A Python that has the official SDK, in a virtual environment: made once for each state of requirements.txt, and the same for all
 * who ask. `undefined` when there can be none here, which is said loudly, because the tests that need it then do not run.
 */
export async function pythonWithSdk(): Promise<string | undefined> {
  try {
    return await environment()
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string }
    // pip says why in its last lines.
    const said = (stderr || message).trim().split('\n').slice(-6).join('\n')
    console.warn(`NOT RUN: tests of the official Python SDK. ${WHAT_IT_NEEDS} Making that failed:\n${said}`)
    return undefined
  }
}

const WHAT_IT_NEEDS =
  'They need python3 of version 3.10 or newer with its venv module and pip (on Debian: python3-venv), and the packages of tests/python-sdk/requirements.txt.'

async function environment(): Promise<string> {
  const asked = [
    '-c',
    'import sys, venv, ensurepip; assert sys.version_info >= (3, 10), sys.version; print(sys.prefix, sys.version)',
  ]
  const { stdout: version } = await run('python3', asked)
  const digest = createHash('sha256').update(version).update(readFileSync(REQUIREMENTS)).digest('hex')
  const folder = join(KEPT, digest.slice(0, 16))
  const python = join(folder, 'bin', 'python')
  mkdirSync(KEPT, { recursive: true, mode: 0o700 })
  // Files of tests run at the same time, and one of them is enough to make it.
  const pool = await flock().open(join(KEPT, 'making'), { slots: 1 })
  try {
    await pool.claim({ timeoutMs: INSTALL_LIMIT_MS })
    if (!existsSync(python)) await make(folder)
  } finally {
    await pool.close()
  }
  return python
}

/** Under another name until it is complete: whoever finds the folder can use it. */
async function make(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  const limited = { timeout: INSTALL_LIMIT_MS, maxBuffer: 16 * 1024 * 1024 }
  await run('python3', ['-m', 'venv', unfinished], limited)
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--no-compile']
  // Nothing is built here: a package without a file for this system is an error that says so.
  const packages = ['--require-hashes', '--only-binary', ':all:', '-r', REQUIREMENTS]
  await run(join(unfinished, 'bin', 'python'), [...pip, ...packages], limited)
  renameSync(unfinished, folder)
}
