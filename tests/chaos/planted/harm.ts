import type { PlantedBug } from './planted-bug.ts'

/** Bugs that lose data, or harm somebody who has nothing to do with it. */
export const HARM: readonly PlantedBug[] = [
  {
    name: 'a call without an answer is taken for done once there is a connection again',
    rule: 'when the server dies, a call without an answer is sent again',
    package: 'lifecycle',
    file: 'dist/surreal/calls.js',
    text: `\
            if (call.sends < MAX_SENDS)
                this.send(id, socket);
`,
    by: `\
            if (call.sends > 0)
                this.settle(id, (given) => given.resolve([]));
            else if (call.sends < MAX_SENDS)
                this.send(id, socket);
`,
    seenAs: ['an acknowledged write lost'],
    hint: {
      round: {
        clients: 4,
        lingerMs: 500,
        steps: [
          { afterMs: 500, kind: 'kill-server', draws: [0] },
          { afterMs: 5_000, kind: 'kill-server', draws: [0] },
          { afterMs: 5_000, kind: 'kill-server', draws: [0] },
        ],
      },
    },
  },
  {
    name: 'a lease does not compare epochs',
    slow: true,
    rule: 'a lease has a server again, wherever the next one listens',
    package: 'lifecycle',
    file: 'dist/client/kept-lease.js',
    text: `\
        if (record.epoch !== known.epoch || record.nonce !== known.nonce)
            this.announce({ epoch: this.epoch, server: this.server });
`,
    by: '',
    // It goes on dialling the port of before, and proves the listener of another one.
    seenAs: ['a stranger on the port heard something', 'a caller without an answer'],
    hint: {
      round: {
        clients: 1,
        lingerMs: 500,
        steps: [
          // Longer than a guardian insists on the port.
          { afterMs: 500, kind: 'port-theft', draws: [0.999] },
          { afterMs: 12_000, kind: 'ask', draws: [0] },
        ],
      },
    },
  },
  {
    name: 'the listener is not proven before the password',
    rule: 'a stranger on the port never sees the password: the listener is proven before the first byte',
    package: 'lifecycle',
    file: 'dist/surreal/proven-lease.js',
    text: "if (proof === 'stranger' || proof === 'nobody')",
    by: "if (proof === 'nobody')",
    seenAs: ['a stranger on the port heard something'],
    hint: {
      round: {
        clients: 1,
        lingerMs: 500,
        steps: [
          { afterMs: 500, kind: 'port-theft', draws: [0.3] },
          { afterMs: 4_000, kind: 'ask', draws: [0] },
        ],
      },
    },
  },
  {
    name: 'the recorded server is ended by its pid, whoever has that now',
    rule: 'identity before any signal: same pid is not same process',
    package: 'lifecycle',
    file: 'dist/guardian/server-lock.js',
    text: 'const first = await lockUntil(locks, layout.serverLock, performance.now() + LET_GO_MS);',
    by: `\
if (previous?.server !== undefined) {
        try {
            process.kill(previous.server.pid, 'SIGKILL');
        }
        catch (error) {
            if (error.code !== 'ESRCH')
                throw error;
        }
    }
    const first = await lockUntil(locks, layout.serverLock, performance.now() + LET_GO_MS);`,
    seenAs: ['a foreign process signalled'],
    hint: {
      round: {
        clients: 1,
        lingerMs: 500,
        steps: [{ afterMs: 500, kind: 'reuse-pid', draws: [] }],
      },
    },
  },
]
