import { createInterface } from 'node:readline'
import { UnsupportedByNature } from './json-process.ts'

/** By the first word of a line; the others are its numbers. */
export interface Requests {
  readonly [verb: string]: (args: readonly number[]) => object | Promise<object>
}

/** The other side of `JsonProcess`: answers each line of the standard input, in order, until it ends. */
export async function answerLines(requests: Requests): Promise<void> {
  say({ ready: true })
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb = '', ...args] = line.split(' ')
    const request = requests[verb]
    try {
      say(request === undefined ? { unsupported: `"${verb}" is no request` } : await request(args.map(Number)))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      say(error instanceof UnsupportedByNature ? { unsupported: message } : { error: message })
    }
  }
}

export function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
