// Once a run, in vitest's own process: a share in the database server, and a namespace that this run has for itself.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { connect, type Lease } from 'procref'
import type { TestProject } from 'vitest/node'

/** What workers need to reach this run's namespace. They can do nothing outside of it. */
export interface RunNamespace {
  readonly url: string
  readonly namespace: string
  readonly username: string
  readonly password: string
}

declare module 'vitest' {
  interface ProvidedContext {
    surreal: RunNamespace
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Two runs at once (watch mode and a run by hand) share the server, and a run that is killed leaves it when its process ends. In
  // memory, so that nothing is left of it after the last.
  const lease = await connect({
    dir: join(project.config.root, 'node_modules/.procref'),
    driver: 'embedded',
    storage: 'memory',
    label: 'vitest',
  })
  // No other living run has this slot.
  const namespace = `run_${lease.slot.id}`
  const password = randomBytes(24).toString('base64url')
  await prepare(lease, namespace, password)
  project.provide('surreal', { url: lease.url, namespace, username: 'worker', password })
  // A server that died comes back on the same port, but empty.
  lease.onReconnect(() => {
    prepare(lease, namespace, password).catch((error) => project.vitest.logger.error(error))
  })

  return async () => {
    await lease.db.query(`REMOVE NAMESPACE IF EXISTS ${namespace}`)
    await lease.close()
  }
}

/** Empty: a killed run may have had the slot before, and left its namespace to the others. */
async function prepare({ db }: Lease, namespace: string, password: string): Promise<void> {
  await db.query(`
    REMOVE NAMESPACE IF EXISTS ${namespace};
    DEFINE NAMESPACE ${namespace};
    USE NS ${namespace};
    DEFINE USER worker ON NAMESPACE PASSWORD '${password}' ROLES OWNER;
  `)
}
