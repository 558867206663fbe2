import { errnoOf, FileAccessError, translateErrno } from './errno.ts'
import { needDescriptors } from './need-descriptors.ts'
import { isPassingTrouble } from './passing-trouble.ts'

/** What the dynamic linker says (glibc, musl and macOS with the words of strerror(3)), which Node has as a text only. */
const SAID_BY_LINKER = [
  [/Too many open files/i, 'EMFILE'],
  [/Cannot allocate memory|failed to map segment/i, 'ENOMEM'],
] as const

/**
 * What kept the module at `path` from being loaded, if that was the system, which may not have got to it this once: then nothing
 * is missing, and nothing has to be installed. `undefined`: the module is not there, or unusable.
 */
export function loadTrouble(error: unknown, path: string): FileAccessError | undefined {
  const known = isPassingTrouble(error) ? error : (saidByLinker(error) ?? withoutDescriptor(error))
  const trouble = translateErrno(known, 'load', path)
  return trouble instanceof FileAccessError ? trouble : undefined
}

function saidByLinker(error: unknown): Error | undefined {
  if (errnoOf(error) !== 'ERR_DLOPEN_FAILED') return undefined
  const { message } = error as Error
  const code = SAID_BY_LINKER.find(([words]) => words.test(message))?.[1]
  return code === undefined ? undefined : Object.assign(new Error(message), { code })
}

/** Node takes a package whose package.json it cannot open for one that is not there. */
function withoutDescriptor(error: unknown): unknown {
  if (!/^(ERR_)?MODULE_NOT_FOUND$/.test(errnoOf(error) ?? '')) return undefined
  try {
    needDescriptors(process.execPath, 1)
    return undefined
  } catch (refused) {
    return isPassingTrouble(refused) ? refused : undefined
  }
}
