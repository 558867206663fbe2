import { BackendUnavailableError } from '@procref/core'
import { hybrid } from '@procref/hybrid'
import { describe } from 'vitest'

/** Can hybrid() be used here? If not, says why, loudly: then what needs it does not run. */
const isHere: boolean = await isUsable()

async function isUsable(): Promise<boolean> {
  try {
    await (await hybrid().open('/dev/null/nowhere')).close()
    throw new Error('a pool was opened below /dev/null')
  } catch (error) {
    if (!(error instanceof BackendUnavailableError)) return true
    console.warn(`NOTE: ${error.message}\nWhat needs hybrid() DOES NOT RUN.`)
    return false
  }
}

/** `describe` for tests of hybrid(), skipped where it cannot be used. */
export const describeHybrid: typeof describe.skip = describe.skipIf(!isHere)
