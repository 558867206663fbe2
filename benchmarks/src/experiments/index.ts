import type { Experiment } from '../experiment.ts'

/** In the order of the report. */
export const EXPERIMENTS: readonly Experiment[] = []
