import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pinProtocol } from '@procref/core'
import { atEnd, canCutPower, mountDrive } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { readConfigFile, writeConfigFile } from '../../dist/state/config-file.js'
import { ensureCredentials, readCredentials } from '../../dist/state/credentials.js'
import { readEngineRecord, writeEngineRecord } from '../../dist/state/engine-record.js'
import { layout } from '../../dist/state/layout.js'

const BYTES = 64 * 1024 * 1024
const engine = { engine: 'surrealdb', version: '3.3.5', storage: 'rocksdb' }

/** A root directory on a drive, and the same on a copy of it. */
async function onADrive() {
  const drive = atEnd(await mountDrive({ bytes: BYTES }))
  const paths = layout(join(drive.path, 'root'))
  mkdirSync(paths.data, { recursive: true })
  return { paths, afterCut: async () => layout(join(atEnd(await drive.powerCut()).path, 'root')) }
}

// Each on a drive of its own: what is synced takes with it what another one has left in the journal.
describe.runIf(canCutPower())('is there after a power cut, as soon as the call has returned', () => {
  test('the password', async () => {
    const { paths, afterCut } = await onADrive()
    const made = ensureCredentials(paths)
    expect(readCredentials(await afterCut())).toEqual(made)
  })

  test('what wrote the data last, also a newer one', async () => {
    const { paths, afterCut } = await onADrive()
    writeEngineRecord(paths.engineJson, engine, 'surreal-binary')
    expect(readEngineRecord((await afterCut()).engineJson)).toEqual(engine)
    const newer = { ...engine, version: '3.4.0' }
    writeEngineRecord(paths.engineJson, newer, 'surreal-binary')
    expect(readEngineRecord((await afterCut()).engineJson)).toEqual(newer)
  })

  test('the settings of the directory', async () => {
    const { paths, afterCut } = await onADrive()
    writeConfigFile(paths.config, { lingerMs: 4_321 })
    expect(readConfigFile((await afterCut()).config)).toEqual({ lingerMs: 4_321 })
  })

  test('with which protocol the slots are locked', async () => {
    const { paths, afterCut } = await onADrive()
    mkdirSync(paths.slots)
    pinProtocol(paths.slots, { protocol: 'flock', slots: 7 })
    const { slots } = await afterCut()
    expect(readdirSync(slots)).toContain('protocol.json')
    expect(pinProtocol(slots, { protocol: 'flock' })).toEqual({ protocol: 'flock', slots: 7 })
  })
})
