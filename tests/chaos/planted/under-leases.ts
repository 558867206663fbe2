import type { PlantedBug } from './planted-bug.ts'
import { SOMEBODY_COMES_BACK } from './rounds.ts'
import { aClientThatComesAfterTheProof, aClientThatReadsFirst, oneDescriptorLeft } from './scenarios.ts'

/** Bugs for which a server is stopped while somebody has a lease on it. */
export const UNDER_LEASES: readonly PlantedBug[] = [
  {
    name: 'the look before the linger is taken for the proof',
    rule: 'a guardian writes `draining` before it probes the slots',
    package: 'lifecycle',
    file: 'dist/guardian/serve.js',
    text: 'proven = await g.pool.provenEmpty();',
    by: 'proven = true;',
    seenAs: ['a server stopped under a lease'],
    hint: { round: SOMEBODY_COMES_BACK },
  },
  {
    name: 'the slots are probed before `draining` is written',
    rule: 'a guardian writes `draining` before it probes the slots',
    package: 'lifecycle',
    file: 'dist/guardian/serve.js',
    text: `\
    if (!tryToWrite(g, () => g.chronicle.write({ state: 'draining' })))
        return { againInMs: RETRY_MS };
    let proven = false;
    try {
        proven = await g.pool.provenEmpty();
    }
    catch (error) {
        note(g, 'probe-failed', 'slots-unknown', { message: serializeError(error).message });
    }
`,
    by: `\
    let proven = false;
    try {
        proven = await g.pool.provenEmpty();
    }
    catch (error) {
        note(g, 'probe-failed', 'slots-unknown', { message: serializeError(error).message });
    }
    if (!tryToWrite(g, () => g.chronicle.write({ state: 'draining' })))
        return { againInMs: RETRY_MS };
`,
    seenAs: ['a server stopped under a lease'],
    driver: 'binary',
    hint: { scenario: aClientThatComesAfterTheProof },
  },
  {
    name: 'a client reads the record before it claims its slot',
    rule: 'a client claims its slot before it reads `server.json`',
    package: 'lifecycle',
    file: 'dist/client/shared-service.js',
    text: `\
        const slot = await claimSlot(pool, options, context);
        const record = await awaitServing(context);
`,
    by: `\
        const record = await awaitServing(context);
        const slot = await claimSlot(pool, options, context);
`,
    seenAs: ['a server stopped under a lease'],
    driver: 'binary',
    hint: { scenario: aClientThatReadsFirst },
  },
  {
    name: 'a slot that cannot be probed is taken for free',
    rule: 'an error while probing counts as in use',
    package: 'core',
    file: 'dist/file-slot-store.js',
    text: 'return this.#watches.used();',
    by: 'return [...this.#watches.used()].filter(({ error }) => error === undefined);',
    seenAs: ['a server stopped under a lease'],
    driver: 'binary',
    hint: { scenario: oneDescriptorLeft },
  },
  {
    name: 'a slot whose file was deleted is looked at no more',
    rule: 'a deleted folder hides nobody: slots seen held are probed through their descriptors',
    package: 'core',
    file: 'dist/slot-watches.js',
    text: "if (state === 'free')",
    by: "if (state === 'free' || !current)",
    seenAs: ['a server stopped under a lease'],
    hint: {
      round: {
        clients: 3,
        lingerMs: 500,
        steps: [
          // The guardian, whose beat may come late, has looked at all of them; in most rounds none looks at its own before it is gone.
          { afterMs: 11_000, kind: 'delete-slots', draws: [0.9, 0.99] },
          { afterMs: 10, kind: 'leave', draws: [0] },
          { afterMs: 10, kind: 'kill-client', draws: [0] },
          { afterMs: 3_000, kind: 'ask', draws: [0] },
        ],
      },
    },
  },
  {
    name: 'a lease whose slot file was deleted claims no other one',
    rule: 'a deleted slot is claimed afresh in the directory that the lease knows',
    package: 'lifecycle',
    file: 'dist/client/kept-lease.js',
    text: `\
            if (error.code !== 'PROCREF_SLOT_LOST')
                throw error;
`,
    by: `\
            if (error.code === 'PROCREF_SLOT_LOST')
                return;
`,
    seenAs: ['a server stopped under a lease'],
    hint: {
      round: {
        clients: 2,
        lingerMs: 500,
        steps: [
          { afterMs: 500, kind: 'delete-slots', draws: [0.9, 0.99] },
          // This guardian knows the slots by their descriptors. The next one does not, and by then each lease has looked at its own.
          { afterMs: 7_000, kind: 'kill-guardian', draws: [0] },
          { afterMs: 8_000, kind: 'ask', draws: [0] },
        ],
      },
    },
  },
]
