import type { PlantedBug } from './planted-bug.ts'
import { A_GUARDIAN_IS_KILLED, TWO_GUARDIANS } from './rounds.ts'

/** Bugs for which somebody waits in vain, or loses a lease that could have been kept. */
export const WITHOUT_ANSWER: readonly PlantedBug[] = [
  {
    name: 'a wait believes the state and does not look whether its guardian lives',
    slow: true,
    rule: 'each round of a wait looks at the alive lock first, whatever the state says',
    package: 'lifecycle',
    file: 'dist/client/await-serving.js',
    text: "if (view.guardian === 'absent') {",
    by: "if (view.record === undefined || view.record.state === 'stopped' || view.record.state === 'failed') {",
    seenAs: ['a caller without an answer'],
    hint: { round: A_GUARDIAN_IS_KILLED },
  },
  {
    name: 'server.lock is not waited for',
    rule: 'never two servers on one data directory',
    package: 'lifecycle',
    file: 'dist/guardian/guardian.js',
    text: 'const lock = await obtainLock();',
    by: 'const lock = g.backend.locks.tryLock(paths.serverLock) ?? { isCurrent: () => true, release: () => undefined };',
    seenAs: ['two servers on one data directory', 'a caller without an answer'],
    hint: { round: TWO_GUARDIANS },
  },
  {
    name: 'a guardian does not look whether the office is still its own',
    rule: 'before each act the guardian checks that the office is still its own',
    package: 'lifecycle',
    file: 'dist/guardian/chronicle.js',
    text: `\
        if (leadsElsewhere(this.#office.guardianLock))
            throw new UsurpedError();
`,
    by: '',
    seenAs: ['a caller without an answer', 'something left behind'],
    hint: { round: TWO_GUARDIANS },
  },
  {
    name: 'a restart is recorded as a stop on request',
    rule: '`restart` replaces guardian and server under their users: no lease is lost',
    package: 'lifecycle',
    file: 'dist/guardian/serve.js',
    text: 'stopNow = { restarting: { by: request.by }, seen: undefined };',
    by: "stopNow = { by: 'request' };",
    seenAs: ['a caller without an answer'],
    hint: { faults: ['restart'] },
  },
  {
    name: '`stopping` is taken back when a slot is held',
    slow: true,
    rule: '`stopping` is one-way',
    package: 'lifecycle',
    file: 'dist/guardian/guardian.js',
    text: 'const outcome = await serve(g, started.server, previous);',
    by: `\
let outcome = await serve(g, started.server, previous);
            while (outcome.kind === 'stop' && !(await g.pool.provenEmpty())) {
                g.chronicle.write({ state: 'serving', by: undefined, restarting: undefined });
                outcome = await serve(g, started.server, previous);
            }`,
    seenAs: ['a caller without an answer'],
    hint: { faults: ['restart', 'stop-force'] },
  },
]
