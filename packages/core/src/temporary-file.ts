import type { SystemCalls } from './system-calls.ts'

/** Whatever goes wrong: the file is in nobody's way, and its error must not hide the one that led here. */
export function removeTemporary(path: string, system: SystemCalls): void {
  try {
    system.unlink(path)
  } catch {}
}
