import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from '../check.ts'
import { faultsOf } from '../entry-findings.ts'

/** What procref itself keeps in the root: locks, records, logs. Anything else there is not its business. */
const OWN =
  /^((guardian|start|keeper|alive-[\w-]+)\.lock|(server|request)\.json(\..+)?|journal\.ndjson(\.old)?|server\.log)$/

/** Locks, records and logs: plain files, ours, closed to others, no links. */
export const files: Check = {
  id: 'files',
  looksAt: 'locks, records and logs: kind, owner, mode',
  where: 'inside',
  examine({ paths }) {
    const own = readdirSync(paths.root)
      .filter((name) => OWN.test(name))
      .sort()
      .map((name) => join(paths.root, name))
    return {
      found: own.length === 0 ? 'none yet' : `${own.length} files`,
      findings: [
        ...faultsOf([...own, paths.serverLock], {
          should: 'file',
          role: "procref's locks, records and logs",
          mendable: true,
        }),
        // Written by people, and no secret: only changing it would do harm.
        ...faultsOf([paths.config], { should: 'file', role: 'the settings', mendable: true, readable: true }),
        ...faultsOf([paths.engineJson], { should: 'file', role: 'what belongs to the data', mendable: false }),
      ],
    }
  },
}
