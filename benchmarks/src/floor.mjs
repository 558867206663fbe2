// Compiles a program of ../floor with the system's C compiler, into a folder that git ignores, and returns its path.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../floor/', import.meta.url))

export function compileFloor(name) {
  mkdirSync(`${FOLDER}build`, { recursive: true })
  const program = `${FOLDER}build/${name}`
  execFileSync(process.env.CC ?? 'cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, `${FOLDER}${name}.c`])
  return program
}
