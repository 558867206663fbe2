import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ScenarioContext, UsableService } from './scenario.ts'
import type { ServicePlace, ServiceSettings } from './service.ts'
import { Client } from './service-client/client.ts'
import { whenNothingRuns } from './services/processes-of.ts'

const SETTINGS: ServiceSettings = { storage: 'rocksdb', slots: 100, lingerMs: 0 }

/**
 * A service in a folder of its own, and the clients that a scenario starts there. When it is disposed all of them were ended, nothing of
 * the service runs any more, and the folder is gone.
 */
export class Stage implements AsyncDisposable {
  readonly dir: string
  readonly place: ServicePlace
  readonly #clients = new Set<Client>()
  readonly #signal: AbortSignal

  private constructor(dir: string, place: ServicePlace, signal: AbortSignal) {
    this.dir = dir
    this.place = place
    this.#signal = signal
  }

  static async open(
    { home, signal }: Pick<ScenarioContext, 'home' | 'signal'>,
    { service }: Pick<UsableService, 'service'>,
    { name, ...settings }: Partial<ServiceSettings> & { readonly name: string | number },
  ): Promise<Stage> {
    const dir = join(home, `${service.name}-${name}`)
    await mkdir(dir, { mode: 0o700 })
    return new Stage(dir, await service.open(dir, { ...SETTINGS, ...settings }), signal)
  }

  /** A new client, its modules loaded. */
  async start(): Promise<Client> {
    this.#signal.throwIfAborted()
    const client = await Client.start(this.place.client)
    this.#clients.add(client)
    return client
  }

  /** So many at the same time. If one cannot be started none is left. */
  async startAll(count: number): Promise<readonly Client[]> {
    const started = await Promise.allSettled(Array.from({ length: count }, () => this.start()))
    return started.map((one) => {
      if (one.status === 'rejected') throw one.reason
      return one.value
    })
  }

  /** Resolves when all clients are gone. */
  async endClients(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.kill()))
    this.#clients.clear()
  }

  /** As `endClients`, and nothing of the service runs any more. */
  async rest(): Promise<void> {
    await this.endClients()
    await whenNothingRuns(this.dir)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endClients()
    await this.place[Symbol.asyncDispose]()
    await rm(this.dir, { recursive: true, force: true })
  }
}
