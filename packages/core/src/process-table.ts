/**
 * Which process, so that nobody else can be mistaken for it: pids are reused, clocks jump, other containers count anew.
 * Recorded for later comparison; it decides nothing about a lock.
 */
export interface ProcessIdentity {
  readonly pid: number
  /**
   * When the process began, as the kernel counts, not as a wall clock shows. Linux: clock ticks since the boot. macOS: the kernel's time
   * of the start, in whole seconds (a pid is not reused within one).
   */
  readonly startTicks: string
  /** Linux: `/proc/sys/kernel/random/boot_id`. macOS: `kern.bootsessionuuid`. */
  readonly bootId: string
  /** The namespace in which `pid` counts, e.g. `pid:[4026531836]`; `host` where there are none, '' where it cannot be seen. */
  readonly pidNamespace: string
  /** The namespace whose ports the process uses; as above. */
  readonly netNamespace: string
}

/** What native code can tell about processes, and do to exactly one of them. The answers are those of @procref/lifecycle's own way. */
export interface ProcessTable {
  /** `undefined`: nobody has this pid, or a zombie, or it must not be seen. */
  startTicksOf(pid: number): string | undefined
  /** The file that the process runs, for people; `undefined` as above, and for a thread of the kernel. */
  executableOf(pid: number): string | undefined
  /** Names this boot of the machine. */
  bootId(): string
  /**
   * As in `ProcessIdentity`, of whichever thread has it still. `undefined`: nobody has this pid, or no thread has one any more: a process that ends
   * gives up all but that of its pid before it is a zombie.
   */
  namespaceOf(pid: number, kind: 'pid' | 'net'): string | undefined
  /**
   * Sends `signal` if exactly the recorded process still runs; false when it does not, or must never be signalled (pid 1,
   * this process itself).
   *
   * Guarantee: no other process is signalled, even if the recorded one ends and its pid is given out anew meanwhile.
   * Throws `EPERM` for another user's process; `ENOSYS` where it cannot be done so, and the caller needs another way.
   */
  signalSame(recorded: ProcessIdentity, signal: NodeJS.Signals): boolean
}
