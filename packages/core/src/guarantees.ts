/**
 * What a backend promises, as data. The conformance suite checks exactly what stands here, the lifecycle adapts to it,
 * and the documentation's tables are made from it. A backend that cannot promise something says so.
 */
export interface Guarantees {
  /**
   * Who gives back the slots of a process that died.
   * `kernel`: the kernel, as part of the death; `watchdog`: another process that looks; `stale-timeout`: nobody, until the
   * record is old enough to be taken over, so two holders are possible for a while unless the backend says otherwise.
   */
  readonly crashRelease: 'kernel' | 'watchdog' | 'stale-timeout'
  /** After a holder's death was seen, its slot can be claimed within this many milliseconds on an idle machine. */
  readonly maxRecoveryMs: number
  /**
   * How far exclusion reaches: all processes of the host that see the directory, those of one network namespace, those of one IPC
   * namespace or of one pid namespace (others are refused), or several hosts.
   */
  readonly scope: 'host' | 'network-namespace' | 'ipc-namespace' | 'pid-namespace' | 'cluster'
  /**
   * A child that inherits the descriptor keeps the lock after its parent's death. False: the guardian holds `server.lock`
   * itself, and an orphaned server is caught only by the database's own lock.
   */
  readonly inheritableByChild: boolean
  /** The same of the control locks alone, where the slots have no descriptor to hand on. Left out: as `inheritableByChild`. */
  readonly locksInheritableByChild?: boolean
  /** Shares `slot_NN.lock` files and `flock(2)` with the original Rust program and with programs in other languages. */
  readonly interoperatesWithSeed: boolean
  readonly platforms: readonly NodeJS.Platform[]
}

/** Does a child that inherits the descriptor of a control lock keep it? */
export function locksAreInheritable(guarantees: Guarantees): boolean {
  return guarantees.locksInheritableByChild ?? guarantees.inheritableByChild
}
