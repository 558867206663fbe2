import { AnsweredError, EndedError } from './json-process.ts'

/** What an error says of a subject or a service, without the program's command line. */
export function saidBy(error: unknown): string {
  if (error instanceof AnsweredError) return error.said
  if (error instanceof EndedError) return `a process of it ended: ${messageIn(error.complaint)}`
  return error instanceof Error ? error.message : String(error)
}

/** Of what a runtime prints for an uncaught error the line with its message, else the first one. */
export function messageIn(complaint: string): string {
  const lines = complaint.split('\n')
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines[0] ?? ''
}
