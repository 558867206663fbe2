import { readFileSync } from 'node:fs'
import type { Check } from '../check.ts'

/** Is this Node one that procref is made for? */
export const node: Check = {
  id: 'node',
  looksAt: 'the version of Node',
  where: 'anywhere',
  examine() {
    const needed = neededVersion()
    const { node: version } = process.versions
    const found = `${version}, ${process.platform} ${process.arch}`
    if (!isOlder(version, needed)) return { found, findings: [] }
    return {
      found,
      findings: [
        {
          code: 'old-node',
          severity: 'problem',
          found: `This is Node ${version}, and procref needs ${needed}.`,
          why: 'What it relies on (disposal, abort signals, statfs) is missing or different in older ones.',
          remedy: 'Install a newer Node. Programs that use procref need it as well.',
        },
      ],
    }
  },
}

/** `engines` of our manifest, `>=20.19.0`. */
function neededVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    readonly engines: { readonly node: string }
  }
  return manifest.engines.node.replace(/^>=/, '')
}

export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)))
  for (const [i, wanted] of (b ?? []).entries()) {
    const difference = (a?.[i] ?? 0) - wanted
    if (difference !== 0) return difference < 0
  }
  return false
}
