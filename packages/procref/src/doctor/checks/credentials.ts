import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Layout, readCredentials } from '@procref/lifecycle'
import type { Check, Finding } from '../check.ts'
import { lookAtEntry } from '../entry.ts'
import { faultsOf } from '../entry-findings.ts'
import { attempt } from '../look-around.ts'
import { messageOf } from '../message.ts'

/** `data/credentials.json`: there if there is a database, readable by us, by nobody else. Never mended: it belongs to the data. */
export const credentials: Check = {
  id: 'credentials',
  looksAt: "data/credentials.json: the administrator's password, never shown",
  where: 'inside',
  async examine({ paths }) {
    const path = paths.credentialsJson
    const { kind } = lookAtEntry(path, 'file')
    const database = hasDatabase(paths.database)
    if (kind === 'missing' && !database) return { found: 'none yet', findings: [] }
    if (kind === 'open-to-others') return { found: 'open to others', findings: [exposed(path)] }
    if (kind !== 'missing' && kind !== 'fine') {
      return { found: 'not to be used', findings: faultsOf([path], { should: 'file', role: '', mendable: false }) }
    }
    const read = await attempt(() => readCredentials(paths))
    if ('value' in read) return { found: 'there, closed to others', findings: [] }
    return {
      found: kind === 'missing' ? 'missing' : 'damaged',
      findings: [database ? lost(paths, read.error) : replaceable(path)],
    }
  },
}

function hasDatabase(dir: string): boolean {
  return existsSync(dir) && (lookAtEntry(dir, 'directory').kind === 'other' || readdirSync(dir).length > 0)
}

function exposed(path: string): Finding {
  return {
    code: 'credentials-exposed',
    severity: 'problem',
    path,
    found: `${path} is open to other users.`,
    why: 'Whoever has the password is the administrator of the database. connect() refuses a password that others could have read or replaced.',
    remedy: `\`chmod 600 ${path}\`. If somebody may have read it: change the password in the database (DEFINE USER … ON ROOT) and in the file.`,
  }
}

function lost(paths: Layout, error: unknown): Finding {
  const copies = readdirSync(paths.data).filter((name) => /^credentials\.json\..+\.tmp$/.test(name))
  const hint =
    copies.length === 0
      ? ''
      : ` ${copies.map((name) => join(paths.data, name)).join(', ')} may be a copy: look before you start anything, because the next guardian removes it.`
  return {
    code: 'credentials-missing',
    severity: 'problem',
    path: paths.credentialsJson,
    found: messageOf(error),
    why: 'The database keeps the password that it was made with. A new one would lock everybody out, so none is made beside a database.',
    remedy: `Restore the file from a backup (mode 0600), or move ${paths.database} away to begin an empty database.${hint}`,
  }
}

function replaceable(path: string): Finding {
  return {
    code: 'credentials-damaged',
    severity: 'note',
    path,
    found: `${path} is damaged, and there is no database yet.`,
    why: 'Nothing knows the old password.',
    remedy: 'Nothing: the next start makes a new one.',
  }
}
