import type { ServerRecord } from '../../dist/state/server-record.js'

export const NONCE = 'a'.repeat(32)
export const OTHER_NONCE = 'b'.repeat(32)

const identity = { pid: 4242, startTicks: '1234', bootId: 'boot', pidNamespace: 'pid:[1]', netNamespace: 'net:[1]' }

/** A record with every field, so that a check of the shape meets each of them. */
export function sampleRecord(change: Partial<ServerRecord> = {}): ServerRecord {
  return {
    protocol: 1,
    newestProtocol: 2,
    procref: '0.0.0',
    state: 'serving',
    epoch: 3,
    nonce: NONCE,
    at: '2026-01-02T03:04:05.678Z',
    guardian: identity,
    server: identity,
    host: '127.0.0.1',
    port: 40_000,
    listener: '777',
    durable: true,
    version: '3.3.5',
    driver: {
      name: 'command',
      descriptor: { module: 'file:///driver.js', factory: 'command', options: null },
      settings: { storage: 'rocksdb' },
    },
    backend: { name: 'flock', descriptor: { module: 'file:///backend.js', factory: 'flock', options: null } },
    settings: { lingerMs: 10_000, crashLoop: { starts: 5, withinMs: 60_000 }, port: 40_000 },
    failure: { code: 'PROCREF_X', name: 'X', message: 'x – ü', details: { path: '/x' }, logTail: ['last line'] },
    by: 'empty',
    restarting: { by: 42 },
    previous: { nonce: OTHER_NONCE, epoch: 2, guardian: identity, server: identity },
    starts: [{ bootId: 'boot', monotonicMs: 12 }],
    ...change,
  }
}
