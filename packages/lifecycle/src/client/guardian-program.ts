import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The path of the file that was named for the guardian, if one was. Throws `TypeError` for a relative one: the guardian's working directory is
 * another one.
 */
export function guardianProgramOf({
  guardianProgram,
}: {
  readonly guardianProgram?: string | URL
}): string | undefined {
  if (guardianProgram === undefined) return undefined
  const said = String(guardianProgram)
  if (said.startsWith('file:')) return fileURLToPath(said)
  if (isAbsolute(said)) return said
  throw new TypeError(`guardianProgram: ${said} is neither an absolute path nor a file: URL`)
}
