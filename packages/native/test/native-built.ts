import { BackendUnavailableError } from '@procref/core'
import { native } from '@procref/native'
import { describe } from 'vitest'

/** Is the native code built? If not, says so, loudly: then what needs it does not run. */
export const isBuilt: boolean = await isUsable()

async function isUsable(): Promise<boolean> {
  try {
    await (await native().open('/dev/null/nowhere')).close()
    throw new Error('a pool was opened below /dev/null')
  } catch (error) {
    if (!(error instanceof BackendUnavailableError)) return true
    console.warn(`NOTE: ${error.message}\nWhat needs the native code DOES NOT RUN.`)
    return false
  }
}

/** `describe` for tests of native code, skipped where it is not built. */
export const describeNative: typeof describe.skip = describe.skipIf(!isBuilt)
