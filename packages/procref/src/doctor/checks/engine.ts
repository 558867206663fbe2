import { existsSync, readdirSync } from 'node:fs'
import {
  checkEngine,
  type EngineIdentity,
  type Layout,
  readConfigFile,
  readEngineRecord,
  readUpgradeConsent,
} from '@procref/lifecycle'
import { resolveDriver } from '../../drivers.ts'
import type { Check, Finding } from '../check.ts'
import { isOurs, lookAtEntry } from '../entry.ts'
import { attempt } from '../look-around.ts'
import { messageOf } from '../message.ts'

/** `data/engine.json`: who wrote the data last, and may the server that is found here open them? */
export const engine: Check = {
  id: 'engine',
  looksAt: 'data/engine.json against the server that is installed',
  where: 'inside',
  async examine({ paths }) {
    const entry = lookAtEntry(paths.engineJson, 'file')
    // Said by the check of the files.
    if (entry.kind !== 'missing' && !isOurs(entry)) return { found: 'not to be used', findings: [] }
    const recorded = await attempt(() => readEngineRecord(paths.engineJson))
    if ('error' in recorded)
      return { found: 'cannot be understood', findings: [damaged(paths.engineJson, recorded.error)] }
    if (recorded.value === undefined) {
      const data =
        existsSync(paths.database) &&
        lookAtEntry(paths.database, 'directory').kind !== 'other' &&
        readdirSync(paths.database).length > 0
      return {
        found: data ? 'none, beside a database' : 'no data yet',
        findings: data ? [unknown(paths.engineJson)] : [],
      }
    }
    const installed = await attempt(() => installedEngine(paths))
    // What is wrong with the server is said by its own check.
    const findings =
      'value' in installed && installed.value !== undefined ? compare(paths, recorded.value, installed.value) : []
    return { found: `written by ${describe(recorded.value)}`, findings }
  },
}

/** What a plain connect() would start. */
async function installedEngine(paths: Layout): Promise<EngineIdentity | undefined> {
  const { storage } = readConfigFile(paths.config)
  const driver = await resolveDriver({ paths, storage })
  // Memory storage opens no data.
  return driver.durable ? await driver.engine?.() : undefined
}

function compare(
  { engineJson, upgradeJson }: Layout,
  recorded: EngineIdentity,
  installed: EngineIdentity,
): readonly Finding[] {
  try {
    checkEngine(recorded, installed, engineJson, readUpgradeConsent(upgradeJson))
    return []
  } catch (error) {
    const { code, why, remedy } = REFUSALS[codeOf(error)] ?? OTHER_ENGINE
    return [
      {
        code,
        severity: 'problem',
        path: engineJson,
        found: `The data were written by ${describe(recorded)}; what is found here is ${describe(installed)}.`,
        why,
        remedy: remedy(recorded),
      },
    ]
  }
}

interface Refusal extends Pick<Finding, 'code' | 'why'> {
  remedy(recorded: EngineIdentity): string
}

const OTHER_ENGINE: Refusal = {
  code: 'other-engine',
  why: 'Neither can open what the other wrote, and the database itself does not refuse the attempt, so it is not made.',
  remedy: () => 'Ask for what wrote them (`--storage`, `--driver`, config.json), or use another directory.',
}

/** By the code of the error. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  PROCREF_NEWER_DATA: {
    code: 'newer-data',
    why: 'An older version may misread, and damage, what a newer one wrote, so it is not started on these data.',
    remedy: ({ version }) => `Install SurrealDB ${version} or newer, or name its executable in PROCREF_SURREAL_BIN.`,
  },
  PROCREF_UPGRADE_NEEDED: {
    code: 'upgrade-needed',
    why: 'The older version could not use them any more afterwards, so it is not started on these data before somebody has said that it may.',
    remedy: ({ version }) =>
      `Run \`procref upgrade\`, which keeps a copy of the data; or name a SurrealDB ${version} in PROCREF_SURREAL_BIN, or by \`--driver\`.`,
  },
  PROCREF_OLDER_DATA: {
    code: 'older-data',
    why: 'What is found here does not read them, and would change files before it says so, so it is not started on these data.',
    remedy: ({ version }) =>
      `Export them with SurrealDB ${version} (\`surreal export\`), move them away, and import the export; or name its executable in PROCREF_SURREAL_BIN.`,
  },
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code)
}

function damaged(path: string, error: unknown): Finding {
  return {
    code: 'engine-damaged',
    severity: 'problem',
    path,
    found: messageOf(error),
    why: 'It keeps an older version, or another engine, from opening the data. Without it nothing is started on them.',
    remedy: `Restore it from a backup, or remove it if you know that the installed server can open these data.`,
  }
}

function unknown(path: string): Finding {
  return {
    code: 'engine-unknown',
    severity: 'warning',
    path,
    found: `${path} is missing, and there is a database beside it.`,
    why: 'It is written before a database is opened, so somebody removed it or copied the database here. Nothing keeps an older version from opening what a newer one wrote.',
    remedy:
      'Make sure that the installed SurrealDB is not older than what wrote the data; the next start writes the file.',
  }
}

function describe({ engine, version, storage }: EngineIdentity): string {
  return `${engine} ${version} (${storage})`
}
