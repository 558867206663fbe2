import { basename } from 'node:path'
import { type DirectoryConfig, readConfigFile } from '@procref/lifecycle'
import type { Check, Finding } from '../check.ts'
import { isOurs, lookAtEntry } from '../entry.ts'
import { attempt } from '../look-around.ts'
import { messageOf } from '../message.ts'
import type { PoolSeen } from '../pools.ts'

/** `config.json`: settings that are understood, and that the directory can follow. */
export const config: Check = {
  id: 'config',
  looksAt: 'config.json: the settings of the directory',
  where: 'inside',
  async examine(seen) {
    const { paths } = seen
    const entry = lookAtEntry(paths.config, 'file')
    if (entry.kind === 'missing') return { found: 'none: defaults', findings: [] }
    // Said by the check of the files.
    if (!isOurs(entry)) return { found: 'not to be used', findings: [] }
    const settings = await attempt(() => readConfigFile(paths.config))
    if ('error' in settings) return { found: 'not valid', findings: [invalid(paths.config, settings.error)] }
    const pools = seen.elsewhere === undefined ? [seen] : [seen, seen.elsewhere]
    return {
      found: describe(settings.value),
      findings: pools.flatMap((pool) => otherSize(paths.config, settings.value, pool)),
    }
  },
}

function describe(settings: DirectoryConfig): string {
  const entries = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  return entries.length === 0 ? 'no settings: defaults' : entries.join(', ')
}

function invalid(path: string, error: unknown): Finding {
  return {
    code: 'config-invalid',
    severity: 'problem',
    path,
    found: messageOf(error),
    why: 'A setting that is misspelt must not be ignored silently, so every connect() is refused until it is right.',
    remedy: `Edit ${path}, or move it away to use the defaults.`,
  }
}

function otherSize(path: string, { slots }: DirectoryConfig, { of, folder, pin }: PoolSeen): readonly Finding[] {
  const size = 'value' in pin ? pin.value?.slots : undefined
  if (slots === undefined || size === undefined || slots === size) return []
  const what = of === 'own' ? 'the directory was' : 'those for servers elsewhere were'
  const who = of === 'own' ? 'every connect()' : 'every connect() to a server elsewhere'
  return [
    {
      code: 'config-slots',
      severity: 'problem',
      path,
      found: `${path} asks for ${slots} slots, and ${what} made with ${size}.`,
      why: `A pool has one size for all, fixed when it is made, so ${who} is refused.`,
      remedy: `Set "slots" to ${size} or leave it out. To change the size: end every program that uses the directory, then delete its folder ${basename(folder)}.`,
    },
  ]
}
