import type { PlantedBug } from './planted-bug.ts'
import { A_GUARDIAN_IS_KILLED, SOMEBODY_COMES_BACK } from './rounds.ts'
import { aGuardianKilledLast } from './scenarios.ts'

/** Bugs for which something is there after all have gone. */
export const LEFT_BEHIND: readonly PlantedBug[] = [
  {
    name: 'the server is not bound to its guardian',
    rule: 'the server’s life is bound to its guardian’s',
    package: 'lifecycle',
    file: 'dist/guardian/spawn-server.js',
    text: "serverBinding() === 'kernel' ? boundByKernel(plan) : unbound(plan)",
    by: 'unbound(plan)',
    seenAs: ['something left behind'],
    driver: 'binary',
    // A round always ends with a guardian, which would end what another one has left.
    hint: { scenario: aGuardianKilledLast },
  },
  {
    name: 'a guardian that found a slot held does not look again',
    slow: true,
    rule: 'when the last client is gone, however it ended, the server stops',
    package: 'lifecycle',
    file: 'dist/guardian/serve.js',
    text: `\
                if (verdict === 'in-use')
                    empty.watch();
`,
    by: '',
    seenAs: ['something left behind'],
    hint: { round: SOMEBODY_COMES_BACK },
  },
  {
    name: 'what a killed guardian left is not removed',
    rule: 'temporary files carry the nonce; the next guardian unlinks the others',
    package: 'lifecycle',
    file: 'dist/guardian/guardian.js',
    text: 'file.removeLeftovers();',
    by: '',
    seenAs: ['something left behind'],
    hint: { round: A_GUARDIAN_IS_KILLED },
  },
  {
    name: 'the linger is counted by the wall clock alone',
    slow: true,
    rule: 'timers are monotonic: a step of the clock delays nothing',
    package: 'lifecycle',
    file: 'dist/guardian/linger.js',
    text: 'return Math.min(this.#lingerMs, Math.max(0, newest + this.#lingerMs - Date.now()));',
    by: 'return Math.max(0, newest + this.#lingerMs - Date.now());',
    seenAs: ['something left behind'],
    hint: {
      round: {
        clients: 2,
        lingerMs: 500,
        steps: [
          // Two days back; it is seen a second later.
          { afterMs: 500, kind: 'clock-step', draws: [0] },
          { afterMs: 2_500, kind: 'kill-all-clients', draws: [] },
          { afterMs: 3_000, kind: 'join', draws: [] },
        ],
      },
    },
  },
]
