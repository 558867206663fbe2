import type { Experiment } from '../experiment.ts'
import { observeOutlived } from './outlived.ts'
import { overEach } from './over-each.ts'

export const fork: Experiment = {
  name: 'fork',
  title: 'A copy of a holder, made by fork() without exec, outlives it: is the permit lost?',
  scale: 'quick',
  observe: (context) =>
    overEach(fork, context, {
      atOnce: 5,
      observe: (usable, dir) => observeOutlived('fork', usable, dir, context),
    }),
}
