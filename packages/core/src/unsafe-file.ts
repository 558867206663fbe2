import { ProcrefError } from './errors.ts'

/** What is at the path of a lock file is no plain file of this process's user. */
export class UnsafeFileError extends ProcrefError {
  readonly path: string
  constructor(path: string, problem: string) {
    super('PROCREF_UNSAFE_FILE', `${path} ${problem}. Move it away; it is made anew when it is needed.`)
    this.path = path
  }
}
