import type { Check } from '../check.ts'
import { type EntryState, isOurs, octal } from '../entry.ts'
import { faultsOf } from '../entry-findings.ts'

/** The directory and its folders: there, ours, 0700, no links. */
export const directory: Check = {
  id: 'directory',
  looksAt: 'the directory and its folders: kind, owner, mode',
  where: 'anywhere',
  examine({ paths, root }) {
    const folders = { should: 'directory', role: 'what is in it', mendable: true } as const
    const findings = [
      ...faultsOf([paths.root], folders),
      // Behind a link or in somebody else's directory there is nothing of ours to judge.
      ...(isOurs(root)
        ? [
            ...faultsOf([paths.slots, paths.externalSlots, paths.data], folders),
            ...faultsOf([paths.database], { ...folders, mendable: false }),
          ]
        : []),
    ]
    return { found: describe(root), findings }
  },
}

function describe(root: EntryState): string {
  switch (root.kind) {
    case 'fine':
      return 'yours, closed to others'
    case 'open-to-others':
    case 'closed-to-owner':
      return `yours, mode ${octal(root.mode)}`
    case 'link':
      return 'a symbolic link'
    case 'foreign':
      return `the user ${root.uid}'s`
    case 'other':
      return root.is
    case 'missing':
      return 'not there yet; whoever connects first makes it'
    case 'hidden':
      return 'not to be seen'
  }
}
