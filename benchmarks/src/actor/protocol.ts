/**
 * How the runner and an actor talk. An actor is one process with one pool of one subject; in JavaScript it is `main.ts`, in other
 * languages the subject's own program. It is started as `FILE ARGS…`, and says `{"ready":true}` once its pool is open, or `{"error":"…"}`.
 *
 * Each line on its standard input is one request, and gets one line of JSON on its standard output, in order; `wait` and `pass` get
 * two. What cannot be done is `{"error":"…"}`; what this subject cannot do by its nature, and a request that its actor does not know,
 * is `{"unsupported":"why"}`. It ends, with all its
 * permits, when its standard input ends. Times are nanoseconds of CLOCK_MONOTONIC, as text where they do not fit into a double.
 */
export interface Answers {
  /** `try`: a permit if one is free at once; `slot` is null when there was none, -1 where a permit has no number. Permits are kept on a stack. */
  try: { readonly slot: number | null; readonly tookNs: number }
  /** `release`: gives the newest permit back. `atNs` was read before it. */
  release: { readonly atNs: string }
  /** `fill N`: up to N permits, as many as there are. */
  fill: { readonly held: number }
  /** `drop N`: gives N permits back, scattered over those held. */
  drop: { readonly held: number }
  /** `measure BATCHES SIZE`: claims and releases; mean nanoseconds of one pair in each batch, and the processor's of one pair overall. */
  measure: { readonly ns: readonly number[]; readonly cpuNs: number }
  /** `first TIMES`: opens a pool of its own, claims at once, releases and closes, so many times: nanoseconds of each claim alone. */
  first: { readonly ns: readonly number[] }
  /** `search TIMES`: claims so many permits one after the other, then gives them all back: nanoseconds of each claim alone. */
  search: { readonly ns: readonly number[] }
  /**
   * `compete MILLISECONDS`: claims (waiting), releases, and again, for so long. `claims` are those that it had before the time was up,
   * `waitNs` each wait in nanoseconds, the last one included, thinned to 1,000 at most.
   */
  compete: { readonly claims: number; readonly waitNs: readonly number[]; readonly cpuNs: number }
  /** `child`: a child that inherits whatever this subject lets be inherited, and sleeps until killed. */
  child: { readonly pid: number }
  /** `fork`: a copy of this process, without exec, that sleeps until killed. Only where the language has it. */
  fork: { readonly pid: number }
  /** `verify`: is the newest permit still this process's own, as far as the subject itself can tell? */
  verify: { readonly isOurs: boolean }
  /** `holders`: the pids of all who hold permits of this pool, as the subject itself tells them. */
  holders: { readonly pids: readonly number[] }
}

/** `wait`: first this line, once the wait has begun … */
export interface Waiting {
  readonly waiting: true
}

/** … then this one, with the time at which it had the permit. */
export interface Claimed {
  readonly slot: number
  readonly atNs: string
}

/**
 * `pass MICROSECONDS`: as `wait`, but it keeps the permit for so long, without sleeping, then gives it back, and the second line is this.
 * `atNs` was read as soon as it had the permit, `releasingNs` before it gave it back; `cpuNs` is what this process used from before the
 * wait until it had the permit.
 */
export interface Passed {
  readonly atNs: string
  readonly releasingNs: string
  readonly cpuNs: number
}

export type Verb = keyof Answers
