import { chownSync } from 'node:fs'
import type { ActorOptions } from './actor.ts'
import type { Context } from './context.ts'

/** Traditionally `nobody`: owns nothing. */
const NOBODY = 65_534

/**
 * A fresh directory that belongs to a user without special rights, and how to start an actor as that user: another one when we
 * are root (who may open everything), else ourselves. `undefined` where there are no such users.
 */
export function homeOfUnprivileged(
  context: Context,
): { readonly path: string; readonly options: Pick<ActorOptions, 'runAs'> } | undefined {
  const uid = process.getuid?.()
  if (uid === undefined) return undefined
  const path = context.freshDir({ mode: 0o755 })
  if (uid !== 0) return { path, options: {} }
  chownSync(path, NOBODY, NOBODY)
  return { path, options: { runAs: NOBODY } }
}
