import { ProcrefError } from '@procref/core'

/** The table is used by processes that cannot be judged from here, nor can they judge us; so nobody could give back what the dead leave. */
export class PermitTableOutOfReachError extends ProcrefError {
  readonly path: string
  constructor(path: string, problem: string) {
    super(
      'PROCREF_OUT_OF_REACH',
      `${path} ${problem}: who holds a slot there cannot be found out from here. Start both in one PID namespace with one /dev/shm ` +
        '(`--pid=host --ipc=host`, `--pid=container:… --ipc=container:…`), or use native(), which reaches everywhere.',
    )
    this.path = path
  }
}

/** The table has no room for another process. */
export class TooManyProcessesError extends ProcrefError {
  readonly path: string
  constructor(path: string, problem: string) {
    super(
      'PROCREF_TOO_MANY_PROCESSES',
      `${path} ${problem}. Close pools that are not used (\`fuser\` shows who has the file open).`,
    )
    this.path = path
  }
}
