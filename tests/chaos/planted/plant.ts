import { copyOfInstallation, type Installation } from '../../service/installation.ts'
import type { PlantedBug } from './planted-bug.ts'

/**
 * An installation with the bug in it; `children` as `copyOfInstallation` has it. Throws, naming the bug, when the text that it replaces is no
 * longer there, or more than once: then the bug has to be planted anew where the code is now.
 */
export function plant(bug: PlantedBug, children: string): Installation {
  const installation = copyOfInstallation(children)
  try {
    installation.replace(bug)
  } catch (cause) {
    throw new Error(`'${bug.name}' cannot be planted: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
  return installation
}
