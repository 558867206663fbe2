import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** The absolute path of a program: as given if absolute, else the first executable of that name in `PATH`. */
export function findExecutable(name: string, path: string = process.env.PATH ?? ''): string | undefined {
  const dirs = path.split(delimiter).filter((dir) => isAbsolute(dir))
  const candidates = isAbsolute(name) ? [name] : dirs.map((dir) => join(dir, name))
  return candidates.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Whatever the reason, this candidate cannot be started; the caller names all of them.
    return false
  }
}
