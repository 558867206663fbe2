import { readdirSync } from 'node:fs'
import { commandLine, environment, openFiles } from '@procref/testing'

/** A server needs longer to come up and go again. Not more often: the clients whose words are to be heard meanwhile need the processor, too. */
const LOOK_MS = 250
/** Between fork() and exec() a process has its parent's environment. */
const SETTLED_MS = 2_000

/** Which guardians and servers a directory has had, as the process table had them: all that were there for half a second. */
export class ServantWatch implements Disposable {
  readonly #dir: string
  readonly #timer: NodeJS.Timeout
  /** Nobody's servants, and since when they are known. No number is given to another process so soon. */
  readonly #others = new Map<string, number>()
  readonly #servants = new Set<string>()
  readonly #guardians = new Set<string>()
  readonly #servers = new Set<string>()

  constructor(dir: string) {
    this.#dir = dir
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  /** How many were launched, those among them that found another one in office. */
  get guardians(): number {
    return this.#guardians.size
  }

  /** How many processes have had the database open. */
  get servers(): number {
    return this.#servers.size
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue
      const since = this.#others.get(pid)
      if (since !== undefined && now - since > SETTLED_MS) continue
      if (!this.#servants.has(pid) && !this.#isServant(Number(pid))) {
        if (since === undefined) this.#others.set(pid, now)
        continue
      }
      this.#servants.add(pid)
      const open = openFiles(Number(pid))
      if (open.some(({ target }) => target.startsWith(`${this.#dir}/data/db/`))) this.#servers.add(pid)
    }
  }

  /** Of this directory: a guardian has it in its arguments at first, and in its title afterwards. */
  #isServant(pid: number): boolean {
    const { PROCREF_GUARDIAN: isGuardian, PROCREF_INSTANCE: nonce } = environment(pid)
    if (nonce === undefined) return false
    // The launcher of a guardian has its nonce, too: each is counted once.
    if (isGuardian !== undefined && commandLine(pid).some((text) => text.includes(this.#dir)))
      this.#guardians.add(nonce)
    return true
  }
}
