import { type Descriptor, rebuildFromDescriptor, type SlotBackend, type SlotPool } from '@procref/core'
import type { ServerDriver } from '../driver.ts'
import type { ServerRecord, ServiceSettings } from '../state/server-record.ts'
import type { GuardianSetup } from './setup.ts'

export async function rebuildBackend(descriptor: Descriptor): Promise<SlotBackend> {
  return await rebuildFromDescriptor<SlotBackend>(descriptor)
}

export async function rebuildDriver(descriptor: Descriptor): Promise<ServerDriver> {
  return await rebuildFromDescriptor<ServerDriver>(descriptor)
}

export interface Configuration {
  readonly driver: ServerDriver
  readonly settings: ServiceSettings
}

/**
 * Whose configuration rules: after a clean stop or a failure, and when the launching client is alone, its own; after a
 * crash or in a restart under other clients the recorded one, because their leases were made under it.
 */
export async function chooseConfiguration(
  setup: GuardianSetup,
  wanted: ServerDriver,
  previous: ServerRecord | undefined,
  pool: SlotPool,
): Promise<Configuration> {
  const own: Configuration = { driver: wanted, settings: setup.settings }
  if (previous === undefined || previous.state === 'failed') return own
  if (previous.state === 'stopped' && previous.restarting === undefined) return own
  if ((await pool.count()) <= 1) return own
  const same =
    previous.driver.name === wanted.name && JSON.stringify(previous.driver.settings) === JSON.stringify(wanted.settings)
  // Ours does the same and is certainly installed; the recorded module may have gone with its folder.
  if (same) return { driver: wanted, settings: previous.settings }
  const driver = await rebuildDriver(previous.driver.descriptor)
  await driver.check?.()
  await driver.load?.()
  return { driver, settings: previous.settings }
}
