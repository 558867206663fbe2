import type { Results } from '@procref/bench'

type Participants = Pick<Results, 'subjects' | 'services'>

/**
 * Is the failure of this subject or service one of procref's? What a peer does wrong is a result of a benchmark. A name that nobody has (`all`) is a scenario
 * that failed by itself.
 */
export function isFailureOfOurs({ subjects, services }: Participants, failed: string): boolean {
  const found = [...subjects, ...services].find(({ name }) => name === failed)
  return found === undefined || found.kind === 'procref'
}
