import type { Results } from '@procref/bench'
import { expect, test } from 'vitest'
import { isFailureOfOurs } from '../dist/commands/failed-by-us.js'

test('a benchmark fails by what procref does wrong, and by a scenario that cannot be measured, not by a peer', () => {
  const told = { title: '', summary: '' }
  const participants = {
    subjects: [
      { ...told, name: 'native', kind: 'procref', maxSlots: 1, betweenProcesses: true, waits: '' },
      { ...told, name: 'cross-process-lock', kind: 'library', maxSlots: 1, betweenProcesses: true, waits: '' },
    ],
    services: [
      { ...told, name: 'embedded-native', kind: 'procref' },
      { ...told, name: 'bare-sdk', kind: 'reference' },
    ],
  } satisfies Pick<Results, 'subjects' | 'services'>
  const ours = ['native', 'cross-process-lock', 'embedded-native', 'bare-sdk', 'all'].filter((name) =>
    isFailureOfOurs(participants, name),
  )
  expect(ours).toEqual(['native', 'embedded-native', 'all'])
})
