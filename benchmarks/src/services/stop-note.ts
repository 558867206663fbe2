import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Of services that have no journal: called right before the server is told to stop. */
export function noteStop(dir: string): void {
  writeFileSync(join(dir, 'stopping'), String(Date.now()), { mode: 0o600 })
}

export function readStopNote(dir: string): number | undefined {
  try {
    return Number(readFileSync(join(dir, 'stopping'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
