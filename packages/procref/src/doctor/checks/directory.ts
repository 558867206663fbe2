import type { Check } from '../check.ts'
import { isOurs, octal } from '../entry.ts'
import { faultsOf } from '../entry-findings.ts'

/** The directory and its folders: there, ours, 0700, no links. */
export const directory: Check = {
  id: 'directory',
  looksAt: 'the directory and its folders: kind, owner, mode',
  where: 'anywhere',
  examine({ paths, root }) {
    if (root.kind === 'missing') return { found: 'not there yet; whoever connects first makes it', findings: [] }
    const folders = { should: 'directory', role: 'what is in it', mendable: true } as const
    const findings = [
      ...faultsOf([paths.root], folders),
      // Behind a link or in somebody else's directory there is nothing of ours to judge.
      ...(isOurs(root)
        ? [
            ...faultsOf([paths.slots, paths.data], folders),
            ...faultsOf([paths.database], { ...folders, mendable: false }),
          ]
        : []),
    ]
    if (root.kind === 'open-to-others' || root.kind === 'closed-to-owner')
      return { found: `yours, mode ${octal(root.mode)}`, findings }
    return { found: root.kind === 'fine' ? 'yours, closed to others' : root.kind, findings }
  },
}
