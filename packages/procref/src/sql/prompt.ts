import { createInterface } from 'node:readline'

/**
 * Reads texts from the terminal and hands each to `run`, until Ctrl-D or `exit`. A line that ends with a backslash goes on in
 * the next one; Ctrl-C drops what was typed.
 */
export async function prompt(question: () => string, run: (text: string) => Promise<void>): Promise<void> {
  // Prompts belong to the conversation, not to the results.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: true })
  let text = ''
  const ask = (): void => {
    lines.setPrompt(text === '' ? question() : '  ... ')
    lines.prompt()
  }
  lines.on('SIGINT', () => {
    text = ''
    process.stderr.write('\n')
    ask()
  })
  try {
    ask()
    for await (const line of lines) {
      if (text === '' && /^\s*(exit|quit)\s*;?\s*$/i.test(line)) return
      if (line.endsWith('\\')) text += `${line.slice(0, -1)}\n`
      else {
        await run(text + line)
        text = ''
      }
      ask()
    }
    process.stderr.write('\n')
  } finally {
    lines.close()
  }
}
