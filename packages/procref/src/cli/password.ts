import { readFileSync } from 'node:fs'
import { translateErrno } from '@procref/core'
import { UsageError } from './exit-code.ts'

/** Reads what is typed without showing it. */
export type AskHidden = (question: string) => Promise<string>

/**
 * A password that a person has: from a file, from standard input (`-`), else asked for on the terminal. Never from the command line, which
 * other users can read. One line end after it does not belong to it. Throws `UsageError` where there is none, and nobody can be asked.
 */
export async function readPassword(
  file: string | undefined,
  question: string,
  ask: AskHidden | undefined = askHiddenOnTerminal(),
): Promise<string> {
  if (file === undefined && ask === undefined) {
    throw new UsageError('Say where the password is: --password-file FILE, or - for standard input.')
  }
  const text = file === undefined ? await ask?.(question) : readText(file)
  const password = (text ?? '').replace(/\r?\n$/, '')
  if (password === '') throw new UsageError('There is no password: what was given is empty.')
  return password
}

const STDIN = 0

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? STDIN : file, 'utf8')
  } catch (error) {
    throw translateErrno(error, 'read', file)
  }
}

function askHiddenOnTerminal(): AskHidden | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  return async (question) => {
    // First: what is typed ahead would be shown.
    process.stdin.setRawMode(true)
    try {
      process.stderr.write(question)
      return await typedLine()
    } finally {
      process.stdin.setRawMode(false)
      process.stdin.pause()
      process.stderr.write('\n')
    }
  }
}

const [ENTER, LINE_FEED, CTRL_C, CTRL_D, BACKSPACE, DELETE] = ['\r', '\n', '\x03', '\x04', '\b', '\x7f']

/** A terminal that shows nothing leaves the keys to us. */
async function typedLine(): Promise<string> {
  let typed: readonly string[] = []
  for await (const keys of process.stdin.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    for (const key of keys as string) {
      if (key === ENTER || key === LINE_FEED || key === CTRL_D) return typed.join('')
      if (key === CTRL_C) throw new UsageError('No password was given.')
      typed = key === BACKSPACE || key === DELETE ? typed.slice(0, -1) : [...typed, key]
    }
  }
  return typed.join('')
}
