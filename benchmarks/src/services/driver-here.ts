import { type ServerDriver, surrealBinary } from '@procref/lifecycle'
import type { Unavailable } from '../subject.ts'

export const INSTALL_SURREAL = 'install SurrealDB, or let PROCREF_SURREAL_BIN name a `surreal` executable'
export const INSTALL_ENGINE = 'npm install @procref/embedded'

/** What a service over the executable says where there is none. */
export async function executableMissing(): Promise<Unavailable | undefined> {
  return await missing(surrealBinary(), INSTALL_SURREAL)
}

/** What the driver says that it needs and does not find. */
export async function missing(driver: ServerDriver, remedy: string): Promise<Unavailable | undefined> {
  try {
    await driver.check?.()
    return undefined
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error), remedy }
  }
}

export async function versionOf(driver: ServerDriver): Promise<string> {
  const engine = await driver.engine?.()
  if (engine === undefined) throw new Error(`the driver ${driver.name} does not tell its version`)
  return engine.version
}
