import { readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive, processState } from './proc.ts'

let begun = 0

/**
 * What tests leave behind in a place that all programs of this machine share. Test files run at the same time, and what is in such a place does
 * not say whose it is: one that nobody uses at this moment may be what another file's test looks at next. So whoever ends last removes what is
 * left of all of them: each file has a mark while it runs, and one that begins meanwhile takes over from the others what was there before them.
 */
export class Leftovers {
  readonly #list: () => readonly string[]
  readonly #before: ReadonlySet<string>
  readonly #marks: Marks
  readonly #mark: string

  /** Before the first test: what `list` says now was left by somebody else. `kind`: a word for the place. */
  constructor(kind: string, list: () => readonly string[], folder: string = realpathSync(tmpdir())) {
    this.#list = list
    this.#marks = new Marks(folder, kind)
    const others = this.#marks.read()
    const [first = list(), ...more] = others
    this.#before = new Set(first.filter((name) => more.every((before) => before.includes(name))))
    this.#mark = this.#marks.make([...this.#before])
  }

  /** After the last test: what is to be removed now. Nothing, while another file's tests go on. */
  end(): readonly string[] {
    // Listed before it is asked who goes on: what a file makes that begins after that is not in it.
    const left = this.#list().filter((name) => !this.#before.has(name))
    rmSync(this.#mark)
    return this.#marks.read().length === 0 ? left : []
  }
}

/** Files that say who runs, and what was there before. */
class Marks {
  readonly #folder: string
  readonly #prefix: string

  constructor(folder: string, kind: string) {
    this.#folder = folder
    this.#prefix = `procref-test-${kind}-left-by-`
  }

  make(before: readonly string[]): string {
    const path = join(this.#folder, `${this.#prefix}${process.pid}-${processState(process.pid)?.startTicks}-${++begun}`)
    writeFileSync(`${path}.tmp`, JSON.stringify(before))
    renameSync(`${path}.tmp`, path)
    return path
  }

  /** Of those who run; a mark of one who was killed is removed. */
  read(): readonly (readonly string[])[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const [, pid, startTicks] = /^(\d+)-(\d+)-\d+$/.exec(name.slice(this.#prefix.length)) ?? []
      if (!name.startsWith(this.#prefix) || pid === undefined) return []
      const path = join(this.#folder, name)
      if (isAlive(Number(pid)) && processState(Number(pid))?.startTicks === Number(startTicks)) return readMark(path)
      rmSync(path, { force: true })
      return []
    })
  }
}

function readMark(path: string): readonly (readonly string[])[] {
  try {
    return [JSON.parse(readFileSync(path, 'utf8')) as readonly string[]]
  } catch (error) {
    // It has ended since.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
