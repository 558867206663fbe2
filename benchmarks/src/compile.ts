import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Unavailable } from './subject.ts'

const SOURCES = fileURLToPath(new URL('../floor/', import.meta.url))
const run = promisify(execFile)

/** Compiles a program of `floor/` with the system's C compiler (`$CC`, else `cc`) into `home`; its path. */
export async function compile(name: string, home: string): Promise<string> {
  const program = join(home, name)
  const flags = ['-O2', '-Wall', '-Wextra', '-o', program, join(SOURCES, `${name}.c`)]
  await run(compiler(), flags)
  return program
}

/** What a subject in C says where it cannot be compiled. */
export async function compilerMissing(): Promise<Unavailable | undefined> {
  if (process.platform === 'win32') return { reason: 'it is made of system calls of Unix', remedy: 'run it on Linux' }
  try {
    await run(compiler(), ['--version'])
    return undefined
  } catch {
    return { reason: `there is no C compiler (${compiler()})`, remedy: 'apt install gcc, or name one in $CC' }
  }
}

function compiler(): string {
  return process.env.CC ?? 'cc'
}
