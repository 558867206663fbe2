import { BackendUnavailableError, loadTrouble, requireBeside } from '@procref/core'

/** fs-ext's `flockSync`; throws an error with the errno as `code`. */
export type FlockSync = (fd: number, mode: 'exnb' | 'shnb') => void

let loaded: FlockSync | undefined

/** Loads fs-ext once. It is an optional dependency: throws `BackendUnavailableError` where it was not compiled. */
export function loadFlock(): FlockSync {
  if (loaded !== undefined) return loaded
  const require = requireBeside(import.meta.url)
  try {
    const module = require('fs-ext') as { readonly flockSync?: FlockSync }
    if (typeof module.flockSync !== 'function') throw new Error('fs-ext exports no flockSync')
    loaded = module.flockSync
    return loaded
  } catch (error) {
    const trouble = loadTrouble(error, 'fs-ext')
    if (trouble !== undefined) throw trouble
    throw new BackendUnavailableError(
      'flock',
      'its native part fs-ext is not installed or was not compiled for this Node',
      'It needs a C++ compiler, make and Python: install them, allow the install script of fs-ext ' +
        '(pnpm: allowBuilds, npm: approve it), then run `npm rebuild fs-ext`.',
      error,
    )
  }
}
