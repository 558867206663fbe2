import { comparable } from '../comparable.ts'
import type { Protocol } from './sdk.ts'

export const STORAGES = ['memory', 'rocksdb', 'surrealkv'] as const
export const PROTOCOLS: readonly Protocol[] = ['ws', 'http']

export type Storage = (typeof STORAGES)[number]

/** What two servers answered over one protocol, on one storage. */
export interface Answers {
  readonly protocol: Protocol
  readonly storage: Storage
  readonly embedded: unknown
  readonly real: unknown
}

/**
 * The answers of all places as one value for each server: what is the same everywhere is said once. Keys name the places, as in
 * `http` or `ws on surrealkv`.
 */
export function byPlace(all: readonly Answers[]): { readonly embedded: unknown; readonly real: unknown } {
  const alike = new Map<string, Answers[]>()
  for (const answers of all) {
    const key = comparable([answers.embedded, answers.real])
    alike.set(key, [...(alike.get(key) ?? []), answers])
  }
  const groups = [...alike.values()].map((group) => [nameOf(group, all), group[0]] as const)
  return {
    embedded: Object.fromEntries(groups.map(([name, first]) => [name, first?.embedded])),
    real: Object.fromEntries(groups.map(([name, first]) => [name, first?.real])),
  }
}

function nameOf(group: readonly Answers[], all: readonly Answers[]): string {
  if (group.length === all.length) return 'everywhere'
  const left = new Set(group)
  const names: string[] = []
  const take = (name: string, belongs: (answers: Answers) => boolean): void => {
    const members = all.filter(belongs)
    if (!members.every((answers) => left.has(answers))) return
    for (const answers of members) left.delete(answers)
    names.push(name)
  }
  for (const protocol of PROTOCOLS) take(protocol, (answers) => answers.protocol === protocol)
  for (const storage of STORAGES) take(storage, (answers) => answers.storage === storage)
  for (const { protocol, storage } of left) names.push(`${protocol} on ${storage}`)
  return names.join(', ')
}
