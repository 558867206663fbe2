import type { ChildOptions } from '@procref/conformance/harness'

/** Traditionally `nobody`: owns nothing. */
const NOBODY = 65_534

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/**
 * Child options that make a program run as a user who has no special rights: another one than us when we are root (who may
 * open everything), else ourselves. For tests on permissions. The program must be able to read its script and its directory.
 */
export function unprivileged(): Pick<ChildOptions, 'uid' | 'gid' | 'env'> {
  return isRoot() ? asOtherUser() : {}
}

/** Child options that make a program run as somebody else. Only root can do that: see `isRoot()`. */
export function asOtherUser(): Required<Pick<ChildOptions, 'uid' | 'gid' | 'env'>> {
  if (!isRoot()) throw new Error('only root can start a program as another user')
  return { uid: NOBODY, gid: NOBODY, env: { HOME: undefined, USER: 'nobody', LOGNAME: 'nobody' } }
}

/** The owner of files that "somebody else" made. */
export const otherUser: { readonly uid: number; readonly gid: number } = { uid: NOBODY, gid: NOBODY }
