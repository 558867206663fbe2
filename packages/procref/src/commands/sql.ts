import type { Lease } from '@procref/lifecycle'
import { UsageError } from '../cli/exit-code.ts'
import { colorsFor, note, print, printJson } from '../cli/output.ts'
import { whileWaiting } from '../cli/progress.ts'
import { connect } from '../connect.ts'
import { type ServiceOptions, toQuestion } from '../service-options.ts'
import { prompt } from '../sql/prompt.ts'
import { runStatements, type StatementResult } from '../sql/statements.ts'

export interface SqlOptions extends ServiceOptions {
  readonly query?: string
  readonly namespace?: string
  readonly database?: string
  readonly json?: boolean
}

/**
 * Runs statements on the shared database: those of `--query`, else those on stdin, else those that are typed.
 * Resolves with whether all succeeded. Throws as `connect()`.
 */
export async function runSql(options: SqlOptions): Promise<'done' | 'failed'> {
  const typed = options.query === undefined && process.stdin.isTTY
  if (typed && options.json === true) throw new UsageError('--json needs --query, or statements on standard input.')
  // Read before a server is started: a producer that fails should not have started one.
  const text = typed ? undefined : (options.query ?? (await readAll(process.stdin)))
  await using lease = await openLease(options)
  const lost = new Promise<never>((_resolve, reject) => {
    lease.lost.addEventListener('abort', () => reject(lease.lost.reason), { once: true })
  })
  const work = text === undefined ? talk(lease) : runOnce(lease, text, options.json === true)
  return await Promise.race([work, lost])
}

async function openLease(options: SqlOptions): Promise<Lease> {
  const { namespace, database } = options
  return await whileWaiting((onProgress) =>
    connect({
      ...toQuestion(options, 'procref sql'),
      onProgress,
      ...(namespace !== undefined && { namespace }),
      ...(database !== undefined && { database }),
    }),
  )
}

async function runOnce(lease: Lease, text: string, json: boolean): Promise<'done' | 'failed'> {
  const results = await runStatements(lease.db, text)
  if (json) printJson(results)
  else for (const result of results) show(result)
  return results.some((result) => result.error !== undefined) ? 'failed' : 'done'
}

/** A statement that fails ends nothing: whoever types sees it and goes on. */
async function talk(lease: Lease): Promise<'done'> {
  await prompt(
    () => `${lease.db.namespace ?? ''}/${lease.db.database ?? ''}> `,
    async (text) => {
      for (const result of await runStatements(lease.db, text)) show(result)
    },
  )
  return 'done'
}

function show(result: StatementResult): void {
  if (result.error !== undefined) note(`${colorsFor(2).red('error:')} ${result.error.message}`)
  // One line a result for programs, several for people.
  else print(JSON.stringify(result.result ?? null, null, process.stdout.isTTY ? 2 : undefined))
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
