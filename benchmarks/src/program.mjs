import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A program that answers each line with one line. `env` is added to our own environment. */
export function startProgram(file, args, env = {}) {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    pid: child.pid,
    send: (line) => child.stdin.write(`${line}\n`),
    /** The next line, split at spaces; its first word has to be `word`. */
    async answer(word) {
      const { value = '' } = await lines.next()
      const [first, ...rest] = value.split(' ')
      if (first !== word) throw new Error(`${file} ${args.join(' ')} said "${value}" instead of "${word}"`)
      return rest
    },
    /** Resolves once it has ended, at the end of its input. */
    end: () =>
      new Promise((resolve) => {
        child.once('exit', resolve)
        child.stdin.end()
      }),
  }
}
