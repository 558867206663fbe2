import { afterEach, describe, expect, test, vi } from 'vitest'
// Not part of the public interface.
import { external } from '../../dist/external/external.js'
import { ExternalLease } from '../../dist/external/external-lease.js'

const TIMEOUT_MS = 30_000

afterEach(() => {
  vi.useRealTimers()
})

describe('a lease of a server elsewhere whose slot cannot be looked at (EIO)', () => {
  /** The disk fails as often as is said, then it works again. */
  function leaseWhere(fails: () => boolean, timeoutMs = TIMEOUT_MS) {
    vi.useFakeTimers()
    const trouble = Object.assign(new Error('i/o error'), { code: 'EIO' })
    const slot = { verify: async () => (fails() ? Promise.reject(trouble) : undefined) }
    const connection = { onDropped() {}, onConnected() {}, onEnded() {}, close: async () => {} }
    const driver = external({ url: 'ws://127.0.0.1:8000', credentials: { token: 'none' } })
    const pool = { size: 3, close: async () => {} }
    const parts = {
      root: '/the/directory',
      place: {},
      pool,
      slot,
      connection,
      entrance: { driver },
      timeoutMs,
    }
    return new ExternalLease(parts as never)
  }

  test('is kept: nobody has seen that anything is wrong', async () => {
    let failing = true
    const lease = leaseWhere(() => failing)
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS / 2)
    failing = false
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS)
    failing = true
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS / 2)
    expect(lease.lost.aborted).toBe(false)
    await lease.close()
  })

  test.each([1_000, 5_000])(
    'is kept when the one look that fails comes longer after the last good one than timeoutMs is (%s)',
    async (timeoutMs) => {
      let failures = 0
      const lease = leaseWhere(() => failures++ === 1, timeoutMs)
      await vi.advanceTimersByTimeAsync(TIMEOUT_MS)
      expect(failures).toBeGreaterThan(2)
      expect(lease.lost.aborted).toBe(false)
      await lease.close()
    },
  )

  test('is lost after timeoutMs without a look, with what the system says', async () => {
    const lease = leaseWhere(() => true)
    await vi.advanceTimersByTimeAsync(2 * TIMEOUT_MS)
    expect(lease.lost.reason).toMatchObject({ code: 'PROCREF_IO_ERROR' })
  })
})
