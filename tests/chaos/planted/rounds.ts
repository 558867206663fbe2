import type { WrittenRound } from './planted-bug.ts'

/** All have gone, and while the server stays for a moment one comes that stays longer. */
export const SOMEBODY_COMES_BACK: WrittenRound = {
  clients: 2,
  lingerMs: 5_000,
  steps: [
    { afterMs: 500, kind: 'kill-all-clients', draws: [] },
    { afterMs: 0, kind: 'join', draws: [] },
    { afterMs: 12_000, kind: 'ask', draws: [0] },
  ],
}

/**
 * While the guardian stands still the lock of its office and what everybody else probes are deleted: whoever comes launches another one.
 */
export const TWO_GUARDIANS: WrittenRound = {
  clients: 2,
  lingerMs: 500,
  steps: [
    { afterMs: 500, kind: 'stop-guardian', draws: [0, 0.999] },
    { afterMs: 0, kind: 'delete-locks', draws: [0] },
    { afterMs: 0, kind: 'delete-locks', draws: [0.3] },
    { afterMs: 0, kind: 'join', draws: [] },
    { afterMs: 15_000, kind: 'ask', draws: [0] },
  ],
}

/** Once, while it serves. */
export const A_GUARDIAN_IS_KILLED: WrittenRound = {
  clients: 2,
  lingerMs: 500,
  steps: [{ afterMs: 500, kind: 'kill-guardian', draws: [0] }],
}
