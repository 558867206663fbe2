/** After so long without a heartbeat, as its observer counts, an owner is taken for gone. */
export const DEFAULT_LEASE_MS = 10_000
/** proper-lockfile beats once a second at most, and a machine under load stands still for seconds. */
export const MIN_LEASE_MS = 5_000
export const MAX_LEASE_MS = 600_000

/** Four beats may be late or lost. */
export function beatOf(leaseMs: number): number {
  return Math.round(leaseMs / 5)
}

/** Throws `TypeError` for what is no lease. */
export function checkLease(leaseMs: number): void {
  if (Number.isInteger(leaseMs) && leaseMs >= MIN_LEASE_MS && leaseMs <= MAX_LEASE_MS) return
  throw new TypeError(`leaseMs must be an integer from ${MIN_LEASE_MS} to ${MAX_LEASE_MS}, not ${String(leaseMs)}`)
}
