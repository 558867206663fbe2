import { isIP } from 'node:net'
import type { Json } from '@procref/core'
import type { Storage } from './surreal-data.ts'

/**
 * When a commit is synced to the disk. `every`: before it is acknowledged. A time (`500ms`, `5s`, `1m`, more than 100 ms): in the
 * background, that often. `never`: when the system does it. With the last two a power cut or a crash of the system loses
 * acknowledged writes (docs/reliability.md says how many). The end of the server, even by SIGKILL, loses none, but for a time on `rocksdb` with
 * an executable, which keeps commits in its own memory until it syncs them.
 */
export type Sync = 'every' | 'never' | `${number}${'ms' | 's' | 'm'}`

/** What queries and clients may do beside reading and writing data. */
export interface SurrealCapabilities {
  /** Whether those who have not signed in may query what the tables permit them. Default false. */
  readonly guests?: boolean
  /** Whether functions written in JavaScript run (not every build has them). Default false. */
  readonly scripting?: boolean
  /**
   * Where `http::get` and other functions may connect to: anywhere, or only to these (`example.com`, `127.0.0.1:8080`,
   * `10.0.0.0/8`). Default false: nowhere.
   */
  readonly network?: boolean | readonly string[]
  /**
   * Which of the features that SurrealDB calls experimental may be used, by its own names (`files`, `surrealism`). Default: none. The
   * server refuses a name that it does not know.
   */
  readonly experimental?: readonly string[]
}

/** What SurrealDB's drivers have in common. */
export interface SurrealOptions {
  /** Default `rocksdb`, the safest. */
  readonly storage?: Storage
  /** Default `every`. Not for `memory`. */
  readonly sync?: Sync
  readonly capabilities?: SurrealCapabilities
}

/** The options with every default filled in. */
export interface SurrealChoice {
  readonly storage: Storage
  readonly sync: Sync
  /** When `sync` is a time: this one, ms. */
  readonly syncEveryMs: number | undefined
  readonly guests: boolean
  readonly scripting: boolean
  readonly network: boolean | readonly string[]
  readonly experimental: readonly string[]
  /** What makes the same choice again. */
  readonly options: { readonly [key: string]: Json }
  /** As the drivers' `settings`, and those of them that were said explicitly. */
  readonly settings: { readonly [key: string]: Json }
  readonly asked: { readonly [key: string]: Json }
}

/** Throws `TypeError` for what SurrealDB would ignore, or read as something else. */
export function chooseSurreal(options: SurrealOptions): SurrealChoice {
  const { storage = 'rocksdb', sync = 'every', capabilities = {} } = options
  const { guests = false, scripting = false, network: reachable = false } = capabilities
  const experimental = features(capabilities.experimental ?? [])
  if (options.sync !== undefined) checkSync(options.sync, storage)
  const network = typeof reachable === 'boolean' ? reachable : hosts(reachable)
  const settings = {
    storage,
    // A database in memory is never synced, so nobody has to agree on it.
    ...(storage !== 'memory' && { sync }),
    'capabilities.guests': guests,
    'capabilities.scripting': scripting,
    'capabilities.network': network,
    'capabilities.experimental': experimental,
  }
  const said = new Set(['storage'])
  if (options.sync !== undefined) said.add('sync')
  for (const [name, value] of Object.entries(capabilities)) if (value !== undefined) said.add(`capabilities.${name}`)
  const asked = Object.fromEntries(Object.entries(settings).filter(([name]) => said.has(name)))
  const again = {
    storage,
    ...(options.sync !== undefined && { sync }),
    ...(options.capabilities !== undefined && { capabilities: { ...capabilities } }),
  }
  const syncEveryMs = timeOf(sync)
  return { storage, sync, syncEveryMs, guests, scripting, network, experimental, settings, asked, options: again }
}

/** SurrealDB replaces what it cannot read by its default, with a line in the log. */
function checkSync(sync: Sync, storage: Storage): void {
  if (storage === 'memory') throw new TypeError(`sync: a database in memory is never synced to the disk, not ${sync}`)
  if (sync === 'every' || sync === 'never') return
  if ((timeOf(sync) ?? 0) <= 100) {
    throw new TypeError(`sync: ${sync} is none of every, never and a time of more than 100 ms (500ms, 5s, 1m)`)
  }
}

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** In ms; undefined: it is none. */
function timeOf(sync: Sync): number | undefined {
  const [, digits, unit = ''] = /^(\d+)(ms|s|m)$/.exec(sync) ?? []
  return digits === undefined ? undefined : Number(digits) * (MS[unit] ?? 0)
}

/** In one order, because the order means nothing. Nothing but hosts reaches SurrealDB: it reads an empty one as everywhere. */
function hosts(list: readonly string[]): false | readonly string[] {
  const wrong = list.find((target) => !isNetworkTarget(target))
  if (wrong !== undefined) {
    throw new TypeError(
      `capabilities.network: ${JSON.stringify(wrong)} is no host, address or network (example.com:443, 10.0.0.0/8)`,
    )
  }
  return list.length > 0 && [...new Set(list)].sort()
}

/** In one order. SurrealDB reads an empty name as all of them. */
function features(list: readonly string[]): readonly string[] {
  const wrong = list.find((name) => !/^[a-z][a-z_]*$/.test(name))
  if (wrong !== undefined) {
    throw new TypeError(
      `capabilities.experimental: ${JSON.stringify(wrong)} is no name of a feature (files, surrealism)`,
    )
  }
  return [...new Set(list)].sort()
}

const HOST = /^(\[[\da-f:.]+\]|\w[\w-]*(\.[\w-]+)*)(:\d+)?$/i

function isNetworkTarget(target: string): boolean {
  const [address = '', bits] = target.split('/')
  const family = isIP(address)
  if (bits !== undefined) return family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  return family !== 0 || (HOST.test(target) && URL.canParse(`http://${target}`))
}
