/** A promise that can be seen from outside to be broken. */
export type Broken =
  | 'two servers on one data directory'
  | 'a server stopped under a lease'
  | 'an acknowledged write lost'
  | 'something left behind'
  | 'a caller without an answer'
  | 'a foreign process signalled'
  | 'a stranger on the port heard something'

export interface Violation {
  /** `the round itself`: nothing of procref's; the round could not be played, or looked at. */
  readonly broken: Broken | 'the round itself'
  readonly text: string
}
