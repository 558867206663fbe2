import type { DatabaseName } from './errors.ts'
import type { NotIncluded } from './manifest.ts'
import type { Information } from './server-calls.ts'

/** The administrator that procref made: a directory has its own. */
const OWN_USER = 'procref'
const REDACTED = "'[REDACTED]'"

export interface Seen {
  readonly root: Information
  readonly namespaces: readonly { readonly namespace: string; readonly information: Information }[]
  readonly databases: readonly (DatabaseName & { readonly information: Information })[]
  /** Whether exports of this server tell how far sequences are. */
  readonly keepsSequences: boolean
}

/** What of all that was seen exports do not have. Namespaces and databases that lose nothing are not listed. */
export function notIncludedOf({ root, namespaces, databases, keepsSequences }: Seen): NotIncluded {
  return {
    rootUsers: names(root, 'users').filter((name) => name !== OWN_USER),
    rootAccesses: names(root, 'accesses'),
    namespaces: namespaces
      .map(({ namespace, information }) => ({
        namespace,
        users: names(information, 'users'),
        accesses: names(information, 'accesses'),
      }))
      .filter(({ users, accesses }) => users.length + accesses.length > 0),
    databases: databases
      .map(({ namespace, database, information }) => ({
        namespace,
        database,
        accessesWithoutKey: Object.entries(information.accesses ?? {})
          .filter(([, definition]) => definition.includes(REDACTED))
          .map(([name]) => name),
        sequences: keepsSequences ? [] : names(information, 'sequences'),
        buckets: names(information, 'buckets'),
        models: names(information, 'models'),
      }))
      .filter(
        ({ accessesWithoutKey, sequences, buckets, models }) =>
          accessesWithoutKey.length + sequences.length + buckets.length + models.length > 0,
      ),
  }
}

/** One line for each thing, for people. */
export function describeNotIncluded(left: NotIncluded): readonly string[] {
  const line = (what: string, found: readonly string[]): readonly string[] =>
    found.length === 0 ? [] : [`${what}: ${found.join(', ')}`]
  return [
    ...line('users of the root', left.rootUsers),
    ...line('accesses of the root', left.rootAccesses),
    ...left.namespaces.flatMap(({ namespace, users, accesses }) => [
      ...line(`users of the namespace ${namespace}`, users),
      ...line(`accesses of the namespace ${namespace}`, accesses),
    ]),
    ...left.databases.flatMap(({ namespace, database, accessesWithoutKey, sequences, buckets, models }) => {
      const of = `of ${namespace}/${database}`
      return [
        ...line(`keys of accesses ${of}, which have to be defined again`, accessesWithoutKey),
        ...line(`how far sequences ${of} are`, sequences),
        ...line(`files in buckets ${of}`, buckets),
        ...line(`models ${of}`, models),
      ]
    }),
  ]
}

function names(information: Information, section: string): readonly string[] {
  return Object.keys(information[section] ?? {})
}
