import { createInterface } from 'node:readline/promises'

/** Asks on a terminal, and nowhere else: a program says `--yes`. */
export type Ask = (question: string) => Promise<boolean>

/** `undefined`: nobody can be asked. */
export function askOnTerminal(): Ask | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  return async (question) => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    // Ctrl-D is no answer.
    const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
    try {
      return /^y(es)?$/i.test((await Promise.race([terminal.question(`${question} [y/N] `), closed])).trim())
    } finally {
      terminal.close()
    }
  }
}
