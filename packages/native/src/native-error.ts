import { isError, UnsafeFileError } from '@procref/core'

/** Runs one call of the native code; its errors become what Node itself would throw, with `code`, `syscall` and `path`. */
export function calling<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw nativeError(error, path)
  }
}

/** See `crates/node/src/errors.rs` for what comes in. */
export function nativeError(error: unknown, path: string): unknown {
  if (!isError(error) || !('code' in error) || typeof error.code !== 'string') return error
  if (error.code === 'NOT_A_PLAIN_FILE') return new UnsafeFileError(path, 'is not a plain file')
  if (error.code === 'FOREIGN_OWNER') {
    const user = process.geteuid?.()
    return new UnsafeFileError(path, `belongs to user ${error.message}, and this process is user ${user}`)
  }
  const [code, syscall] = error.code.split(' ')
  if (code === undefined || syscall === undefined) return error
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`, { cause: error }), { code, syscall, path })
}
