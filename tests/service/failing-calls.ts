import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join, resolve } from 'node:path'
import { freshDir } from '@procref/testing'

/** What a call does, as preload/failing-call.c knows it. */
const KINDS = { open: 1, make: 2, write: 4, sync: 8, remove: 16, read: 32, lock: 64, look: 128 } as const
type CallKind = keyof typeof KINDS
export const EVERY_KIND = Object.keys(KINDS) as readonly CallKind[]

/** An error, and which calls can meet with it. */
export interface Failure {
  readonly errno: keyof typeof constants.errno
  readonly kinds: readonly CallKind[]
}

/** The words of the plan, in their order. */
const WORDS = ['at', 'error', 'kinds', 'many', 'count', 'failed'] as const
const FAR = 2 ** 31

/** Calls of one process (and of those that it passes its environment on to) on files of one directory, but for its database: one of them can be made to fail. */
export class FailingCalls {
  /** For the process, which is started with it. */
  readonly env: Readonly<Record<string, string>>
  readonly #plan: string
  readonly #log: string

  constructor(library: string, dir: string) {
    const place = freshDir()
    this.#plan = join(place, 'plan')
    this.#log = join(place, 'calls')
    writeFileSync(this.#plan, Buffer.alloc(4 * WORDS.length))
    this.env = { LD_PRELOAD: library, FAILING_CALL: this.#plan, FAILING_BELOW: dir, FAILING_LOG: this.#log }
  }

  /** What starts Node with it. */
  get command(): [string, ...string[]] {
    return ['/usr/bin/env', ...Object.entries(this.env).map(([name, value]) => `${name}=${value}`), process.execPath]
  }

  /** The call number `at` from now on fails, counted among those that can meet with this error; `onwards`: and all after it. */
  arm(at: number, { errno, kinds }: Failure, onwards?: 'onwards'): void {
    const bits = kinds.reduce((sum, kind) => sum + KINDS[kind], 0)
    this.#write([at, constants.errno[errno], bits, onwards === undefined ? 1 : FAR, 0, 0])
  }

  disarm(): void {
    this.#write([0, 0, 0, 0, 0, 0])
  }

  get failed(): number {
    return this.#word('failed')
  }

  /** All that counted since it was made, a line each. */
  calls(): readonly string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trim().split('\n') : []
  }

  /** Which one failed first. */
  firstFailed(): string | undefined {
    return this.calls().find((line) => line.endsWith(' FAILED'))
  }

  #word(name: (typeof WORDS)[number]): number {
    return readFileSync(this.#plan).readUInt32LE(4 * WORDS.indexOf(name))
  }

  /** In place: it is mapped. */
  #write(words: readonly number[]): void {
    const bytes = Buffer.alloc(4 * words.length)
    for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, 4 * i)
    writeFileSync(this.#plan, bytes, { flag: 'r+' })
  }
}

/** Compiles the library; needs cc. */
export function failingCallLibrary(): string {
  const library = join(freshDir(), 'failing-call.so')
  const source = resolve(import.meta.dirname, 'preload/failing-call.c')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  return library
}
