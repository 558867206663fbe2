import { commandLine, environment, openFiles, processes } from '@procref/testing'

/** A server needs longer to come up and go again. */
const LOOK_MS = 100
/** Between fork() and exec() a process has its parent's environment. */
const SETTLED_MS = 1_000

/** Which guardians and servers a directory has had, as the process table had them, however short they were there (a tenth of a second is enough). */
export class ServantWatch implements Disposable {
  readonly #dir: string
  readonly #timer: NodeJS.Timeout
  /** Nobody's servants, and since when they are known; by pid and start time. */
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
    for (const { pid, startTicks } of processes()) {
      const id = `${pid} ${startTicks}`
      const since = this.#others.get(id)
      if (since !== undefined && now - since > SETTLED_MS) continue
      if (!this.#servants.has(id) && !this.#isServant(pid)) {
        if (since === undefined) this.#others.set(id, now)
        continue
      }
      this.#servants.add(id)
      if (openFiles(pid).some(({ target }) => target.startsWith(`${this.#dir}/data/db/`))) this.#servers.add(id)
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
