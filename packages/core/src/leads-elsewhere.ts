import { type SystemCalls, systemCalls } from './system-calls.ts'

/**
 * Is the file at the path certainly no longer the one that is locked or watched? `isCurrent()` answers no also when it cannot be told: here
 * it is asked again where the system can say what is at the path, and its error thrown where it cannot.
 */
export function leadsElsewhere(
  file: { readonly path: string; isCurrent(): boolean },
  system: SystemCalls = systemCalls,
): boolean {
  if (file.isCurrent()) return false
  system.stat(file.path)
  return !file.isCurrent()
}
