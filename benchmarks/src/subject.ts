/** What is compared: one way to have permits that several processes of a machine share. One file each, in `subjects/`. */
export interface Subject {
  /** Stable, lower-case, with hyphens: the key in the results and the value of `--subjects`. */
  readonly name: string
  /** As its users call it. */
  readonly title: string
  /** One sentence: by what a permit is held. */
  readonly summary: string
  readonly kind: 'procref' | 'floor' | 'library' | 'service' | 'program' | 'in-process'
  /** The most permits that one pool may have; 1: it is a mutex. A documented limit, or the largest that it was tried with. */
  readonly maxSlots: number
  /** Do processes that do not know each other share it? (An in-process mutex is there as the lower bound only.) */
  readonly betweenProcesses: boolean
  /** How it waits for a permit, in words: woken by the kernel, or by which timer. */
  readonly waits: string
  /** Whoever waits picks one permit first and waits for that one, also when another one is given back. */
  readonly waitsForOne?: true
  /** What a killed holder had is free only when a time has run out: for seconds those who wait for it only look, again and again. */
  readonly freedByTimeout?: true
  /** The platforms (in Node's words) that it declares to support, and where it does so; left out: it declares none. */
  declares?(): Promise<DeclaredPlatforms>
  /** Can it be used in a folder like `home`? If not, why, and how to get it. Never throws for what is only missing. */
  unavailable(home: string): Promise<Unavailable | undefined>
  /**
   * Once a run, before all else: starts the server or compiles the program that its actors need, and leaves nothing behind when it throws.
   * Throws `CannotPrepareError` for what could not be told before it was tried.
   */
  prepare(home: string): Promise<PreparedSubject>
}

export interface DeclaredPlatforms {
  readonly platforms: readonly NodeJS.Platform[]
  /** `its README`, `the system's manual page`. */
  readonly where: string
}

export interface Unavailable {
  readonly reason: string
  /** What to install or to do, as a command where there is one. */
  readonly remedy: string
}

/** As a sentence, for people. */
export function howToHave({ reason, remedy }: Unavailable): string {
  return `${reason.replace(/\.$/, '')}. To have it: ${remedy}`
}

/** It seemed to be usable, and was not. Whoever runs it goes on without it, and says so. */
export class CannotPrepareError extends Error implements Unavailable {
  readonly reason: string
  readonly remedy: string
  constructor({ reason, remedy }: Unavailable, options?: ErrorOptions) {
    super(`${reason} (${remedy})`, options)
    this.name = 'CannotPrepareError'
    this.reason = reason
    this.remedy = remedy
  }
}

/** A subject that can be used now. */
export interface PreparedSubject extends AsyncDisposable {
  /** The version of what is measured, for the report. */
  readonly version?: string
  /** The program that speaks the actor protocol (see `actor/protocol.ts`) for a pool of `slots` in `dir`. */
  command(dir: string, slots: number): ActorCommand
  /**
   * Takes away what killed holders left outside of the folders of their pools. Called when no actor runs any more and the folders are still
   * there; left out where nothing is left.
   */
  sweep?(): Promise<void>
}

export interface ActorCommand {
  readonly file: string
  readonly args: readonly string[]
  /** Added to the environment. Credentials go here, never into `args`. */
  readonly env?: Readonly<Record<string, string>>
}

/** What a subject in JavaScript gives to its actor: the pool of one process. */
export interface SubjectPool {
  /** A permit, or undefined at once when there is none. */
  tryClaim(): SubjectClaim | undefined | Promise<SubjectClaim | undefined>
  /** A permit, as the users of this subject would wait for one. */
  claim(): SubjectClaim | Promise<SubjectClaim>
  /** The pids of all who hold permits of it; left out where the subject does not tell. */
  holders?(): Promise<readonly number[]>
  close(): void | Promise<void>
}

export interface SubjectClaim {
  /** Which one it is, from 0; or `UNNUMBERED`. */
  readonly slot: number
  release(): void | Promise<void>
  /** Is it still ours? Left out where a holder cannot ask. */
  verify?(): Promise<boolean>
}

/** The slot of a primitive that only counts its permits. */
export const UNNUMBERED = -1

/** The exported function `open` of a module in `subjects/pools/`, which the actor loads. */
export type OpenPool = (dir: string, slots: number) => SubjectPool | Promise<SubjectPool>
