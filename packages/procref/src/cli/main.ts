import { HelpShown } from './declare.ts'
import { endWhenNobodyReads, noteWarnings } from './output.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'

/** Runs the command line `argv` (as `process.argv`) and sets the process's exit code. Never rejects. */
export async function main(argv: readonly string[]): Promise<void> {
  endWhenNobodyReads()
  noteWarnings()
  try {
    await createProgram().parseAsync(argv)
  } catch (error) {
    if (error instanceof HelpShown) return
    process.exitCode = reportError(error, wantsJson(argv) ? 'json' : 'text')
  }
}

/** Looked up in the words themselves, because a command line that cannot be parsed has no options. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(2, end === -1 ? undefined : end).includes('--json')
}
