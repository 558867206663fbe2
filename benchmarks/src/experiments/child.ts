import type { Experiment } from '../experiment.ts'
import { observeOutlived } from './outlived.ts'
import { overEach } from './over-each.ts'

export const child: Experiment = {
  name: 'child',
  title: 'A program that a holder started outlives it: is the permit stuck?',
  scale: 'quick',
  observe: (context) =>
    overEach(child, context, {
      atOnce: 5,
      observe: (usable, dir) => observeOutlived('child', usable, dir, context),
    }),
}
