import type { ActorCommand, Unavailable } from './subject.ts'

/** What the lifecycle scenarios compare: one way in which the processes of a machine come to a SurrealDB. One file each, in `services/`. */
export interface Service {
  /** Stable, lower-case, with hyphens: the key in the results and the value of `--services`. */
  readonly name: string
  readonly title: string
  /** One sentence: who starts the server, and what makes it stop. */
  readonly summary: string
  /** `reference`: it lacks what a service has to do, and is there to be compared with. */
  readonly kind: 'procref' | 'peer' | 'reference'
  /** Who answers queries. */
  readonly engine: 'executable' | 'embedded' | 'in-process'
  /** Do processes that do not know each other share one database through it? */
  readonly shared: boolean
  /** What it does not do, as a reason why it has no place in a scenario; what is not named it does. */
  readonly lacks: { readonly [task in Task]?: string }
  /** Can it be used here? If not, why, and how to get it. Never throws for what is only missing. */
  unavailable(home: string): Promise<Unavailable | undefined>
  /** Of what answers queries. */
  version(): Promise<string>
  /** Opens it in the empty folder `dir`, of which everything that it starts has to be told by path. */
  open(dir: string, settings: ServiceSettings): Promise<ServicePlace>
}

export type Task =
  /** The first client starts the server. */
  | 'start'
  /** A client joins a server that runs. */
  | 'join'
  /** The server stops after its last client. */
  | 'stop'
  /** A server that died is replaced, and clients go on. */
  | 'restart'

export interface ServiceSettings {
  readonly storage: 'rocksdb' | 'memory'
  /** The most clients. */
  readonly slots: number
  readonly lingerMs: number
}

/** A service in one folder. Dispose it after its clients have ended: resolves when nothing of it runs any more. */
export interface ServicePlace extends AsyncDisposable {
  /** A program that speaks the client protocol (see `service-client/protocol.ts`). */
  readonly client: ActorCommand
  /** So long it stays on purpose after its last client. */
  readonly lingerMs: number
  /** When the server last began to stop, milliseconds since 1970; undefined: not yet, or nobody notes it. */
  stopBeganAt(): number | undefined
}
