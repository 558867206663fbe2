import { createHash } from 'node:crypto'
import { EXTRACTOR_VERSION } from './extract.ts'
import { type LanguageName, queryText } from './languages.ts'

const seeds = new Map<LanguageName, string>()

/** A hash of a file's content; differs too when the rows that the same content gives do. */
export function contentHash(language: LanguageName, bytes: Buffer): string {
  let seed = seeds.get(language)
  if (seed === undefined) {
    seed = `${EXTRACTOR_VERSION}\n${language}\n${queryText(language)}\n`
    seeds.set(language, seed)
  }
  return createHash('sha256').update(seed).update(bytes).digest('base64url')
}
