/**
 * `look()` at something below /proc; `undefined` when the process is gone (ESRCH: it ended between the open and the read)
 * or must not be seen, because it belongs to another user.
 */
export function ifVisible<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (isGone(error) || isRefused(error)) return undefined
    throw error
  }
}

export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ESRCH'
}

export function isRefused(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'EACCES' || code === 'EPERM'
}
