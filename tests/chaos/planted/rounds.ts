import type { WrittenRound } from './planted-bug.ts'

/** All have gone, and while the server stays for a moment one comes that stays longer. */
export const SOMEBODY_COMES_BACK: WrittenRound = {
  clients: 2,
  lingerMs: 4_000,
  steps: [
    { afterMs: 8_000, kind: 'kill-all-clients', draws: [] },
    { afterMs: 0, kind: 'join', draws: [] },
    { afterMs: 12_000, kind: 'ask', draws: [0] },
  ],
}

/** The lock of the office and what everybody else probes are gone: whoever comes launches another guardian. */
export const TWO_GUARDIANS: WrittenRound = {
  clients: 2,
  lingerMs: 500,
  steps: [
    { afterMs: 8_000, kind: 'delete-locks', draws: [0] },
    { afterMs: 0, kind: 'delete-locks', draws: [0.3] },
    { afterMs: 0, kind: 'join', draws: [] },
    { afterMs: 15_000, kind: 'ask', draws: [0] },
  ],
}
