import { JsonProcess } from '../actor/json-process.ts'
import type { ActorCommand } from '../subject.ts'
import type { Answers, Verb } from './protocol.ts'

/** A process of its own that uses a service. Killed, if it still lives, when disposed. */
export class Client extends JsonProcess {
  /** Resolves once its modules are loaded. */
  static async start(command: ActorCommand): Promise<Client> {
    const client = new Client(command)
    try {
      await client.next('ready')
      return client
    } catch (error) {
      await client.kill()
      throw error
    }
  }

  /** Throws for an error and for what the service cannot do (`UnsupportedByNature`). */
  async ask<V extends Verb>(verb: V, ...args: readonly number[]): Promise<Answers[V]> {
    this.send([verb, ...args].join(' '))
    return (await this.next(verb)) as Answers[V]
  }
}
