import { basename } from 'node:path'
import type { Finding } from './check.ts'
import { type EntryState, type Kind, lookAtEntry, octal, rightMode, setRightMode } from './entry.ts'

/** How many names a sentence lists before it only counts. */
const NAMED = 3

/** What one or several entries of the same kind should be. */
export interface Expected {
  readonly should: Kind
  /** What they are to procref, for the sentence about who is let in: `the slot files`. */
  readonly role: string
  /** False for the data: those are never touched. */
  readonly mendable: boolean
  /** What follows for others from one that cannot be used; a sentence. */
  readonly consequence?: string
  /** Reading them does no harm (settings that people write); only writing does. */
  readonly readable?: boolean
}

/** What is wrong with these paths, one finding for each kind of fault. Nothing at a path is no fault. */
export function faultsOf(paths: readonly string[], expected: Expected): readonly Finding[] {
  const states = paths.map((path) => ({ path, state: lookAtEntry(path, expected.should) }))
  const of = <K extends EntryState['kind']>(kind: K) =>
    states.filter(
      (entry): entry is { path: string; state: Extract<EntryState, { kind: K }> } => entry.state.kind === kind,
    )
  return [
    ...links(of('link'), expected),
    ...others(of('other'), expected),
    ...foreign(of('foreign'), expected),
    ...openToOthers(
      of('open-to-others').filter(({ state }) => state.writable || expected.readable !== true),
      expected,
    ),
    ...closedToOwner(of('closed-to-owner'), expected),
    ...hidden(of('hidden')),
  ]
}

/** `/a/slot_00.lock, slot_01.lock, slot_02.lock and 7 more` */
export function namesOf(paths: readonly string[]): string {
  const [first = '', ...rest] = paths
  const named = [first, ...rest.slice(0, NAMED - 1).map((path) => basename(path))].join(', ')
  return paths.length > NAMED ? `${named} and ${paths.length - NAMED} more` : named
}

function links(entries: readonly { path: string }[], expected: Expected): readonly Finding[] {
  return about(entries, (paths, are) => ({
    code: 'link',
    severity: 'problem',
    found: `${namesOf(paths)} ${are} a symbolic link.`,
    why: because('Links are not followed: whoever can make one could lead procref to any file of yours.', expected),
    remedy: `Look where it leads (\`ls -l ${paths[0]}\`), then remove the link.`,
  }))
}

function others(entries: readonly { path: string; state: { is: string } }[], expected: Expected): readonly Finding[] {
  return about(entries, (paths, are) => ({
    code: 'wrong-kind',
    severity: 'problem',
    found: `${namesOf(paths)} ${are} ${entries[0]?.state.is}, and should be a ${expected.should}.`,
    why: because('It is in the way of what procref keeps there.', expected),
    remedy: 'Move it away; what belongs there is made anew when it is needed.',
  }))
}

function foreign(entries: readonly { path: string; state: { uid: number } }[], expected: Expected): readonly Finding[] {
  return about(entries, (paths, are, all) => {
    const owner = entries[0]?.state.uid === 0 ? 'root' : `the user ${entries[0]?.state.uid}`
    return {
      code: 'foreign-owner',
      severity: 'problem',
      found: `${namesOf(paths)} ${are === 'is' ? 'belongs' : 'belong'} to ${owner}; this process runs as user ${process.geteuid?.()}.`,
      why: because(
        "procref uses only what belongs to its own user, so that another one's files can neither mislead it nor lock it out. A program that was once run with sudo leaves such files.",
        expected,
      ),
      remedy:
        process.geteuid?.() === 0
          ? `If they are that user's by right, do this as that user, without sudo; else \`chown 0 ${all}\`.`
          : `If you trust them: \`sudo chown ${process.geteuid?.()} ${all}\`. Else move them away while nothing runs.`,
    }
  })
}

function openToOthers(
  entries: readonly { path: string; state: { mode: number; writable: boolean } }[],
  expected: Expected,
): readonly Finding[] {
  const { should, role } = expected
  return about(entries, (paths, are, all) => {
    const writable = entries.some(({ state }) => state.writable)
    const others = writable ? 'change' : should === 'file' ? 'read, and so lock,' : 'look into'
    return {
      code: 'mode',
      severity: writable ? 'problem' : 'warning',
      found: `${namesOf(paths)} ${are} open to other users (mode ${octal(entries[0]?.state.mode ?? 0)}, should be ${octal(rightMode(should))}).`,
      why: `Other users of this machine can ${others} ${role}.`,
      remedy: `\`chmod go= ${all}\`.${writable ? ' Then look at what is in there: somebody may have put it there.' : ''}`,
      ...modeFix(paths, expected),
    }
  })
}

function closedToOwner(
  entries: readonly { path: string; state: { mode: number } }[],
  expected: Expected,
): readonly Finding[] {
  return about(entries, (paths, are, all) => ({
    code: 'mode',
    severity: 'problem',
    found: `${namesOf(paths)} ${are} closed to you (mode ${octal(entries[0]?.state.mode ?? 0)}, should be ${octal(rightMode(expected.should))}).`,
    why: because('procref has to read and write it.', expected),
    remedy: `\`chmod ${octal(rightMode(expected.should))} ${all}\`.`,
    ...modeFix(paths, expected),
  }))
}

function modeFix(paths: readonly string[], { should, mendable }: Expected): Pick<Finding, 'fix'> {
  if (!mendable) return {}
  const which = paths.length === 1 ? 'its mode' : `the mode of these ${paths.length}`
  const does = `set ${which} to ${octal(rightMode(should))}`
  return { fix: { does, did: does, needs: 'nothing', paths, apply: (path) => setRightMode(path, should) } }
}

function because(why: string, { consequence }: Expected): string {
  return consequence === undefined ? why : `${why} ${consequence}`
}

function hidden(entries: readonly { path: string; state: { error: NodeJS.ErrnoException } }[]): readonly Finding[] {
  return about(entries, (paths) => ({
    code: 'not-to-be-seen',
    severity: 'problem',
    found: `${namesOf(paths)} cannot be looked at (${entries[0]?.state.error.code}).`,
    why: 'What cannot be looked at cannot be used either.',
    remedy: 'See who owns the directories above it, and their modes (`ls -ld`).',
  }))
}

function about(
  entries: readonly { readonly path: string }[],
  describe: (paths: readonly string[], are: 'is' | 'are', all: string) => Finding,
): readonly Finding[] {
  const paths = entries.map(({ path }) => path)
  const [first] = paths
  if (first === undefined) return []
  return [{ path: first, ...describe(paths, paths.length === 1 ? 'is' : 'are', paths.join(' ')) }]
}
