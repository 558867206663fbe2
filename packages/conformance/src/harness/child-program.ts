import { createInterface } from 'node:readline'

/** Prints one event, as one JSON line, for the test that started this program. Written when this returns. */
export function say(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)
}

/** Prints a failure as the event `failed`, which makes every wait of the test for another event reject. */
export function sayFailed(error: unknown): void {
  const { name, message, code, stack } = error as NodeJS.ErrnoException
  say('failed', { name, message, code, stack })
}

/**
 * Runs `words[word]` for each line of standard input, one after the other; a word that throws is reported as `failed`.
 * The program ends when its standard input does, so it never outlives the test that started it.
 */
export function obey(words: Readonly<Record<string, () => unknown>>): void {
  let before: Promise<void> = Promise.resolve()
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (word) => {
    before = before.then(async () => {
      const act = words[word]
      if (act === undefined) throw new Error(`this program does not know the word ${JSON.stringify(word)}`)
      await act()
    })
    before = before.catch(sayFailed)
  })
  lines.on('close', () => process.exit(0))
}
