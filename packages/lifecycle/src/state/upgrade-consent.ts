import type { EngineIdentity } from '../driver.ts'
import { replaceFileDurably } from './atomic-file.ts'
import { isEngineIdentity } from './engine-record.ts'
import { newNonce } from './nonce.ts'
import { isPlainText } from './plain-text.ts'
import { parseJson, readSmallFile } from './small-file.ts'

/** Somebody has said that the data may be upgraded: once, from what wrote them to this version, and to no other. */
export interface UpgradeConsent {
  readonly from: EngineIdentity
  readonly to: string
}

/** `undefined`: nobody has, or what is there cannot be understood, which is no consent. */
export function readUpgradeConsent(path: string): UpgradeConsent | undefined {
  const file = readSmallFile(path)
  const value = file.kind === 'text' ? parseJson(file.text) : undefined
  if (typeof value !== 'object' || value === null) return undefined
  const { from, to } = value as Record<string, unknown>
  return isEngineIdentity(from) && isPlainText(to) ? { from, to } : undefined
}

/** Caller: has seen that the data are there; the next guardian that may use the consent removes it. */
export function writeUpgradeConsent(path: string, consent: UpgradeConsent): void {
  replaceFileDurably(path, `${JSON.stringify(consent, null, 2)}\n`, newNonce())
}
