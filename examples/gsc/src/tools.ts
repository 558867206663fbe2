import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import type {
  CallToolResult,
  ServerNotification,
  ServerRequest,
  ToolAnnotations,
} from '@modelcontextprotocol/sdk/types.js'
import { ProcrefError } from 'procref'
import { CallTerminatedError } from 'surrealdb'
import type { z } from 'zod'
import { log } from './log.ts'
import { Mistake } from './mistake.ts'

export interface ToolDescription<I extends z.ZodRawShape, O extends z.ZodRawShape> {
  readonly title: string
  readonly description: string
  readonly input: I
  readonly output: O
  readonly annotations: ToolAnnotations
}

/** What a tool answers: `structured` for programs, `text` for people and models. */
export interface Answer<T> {
  readonly structured: T
  readonly text: string
}

/** What a running call can know and say besides its answer. */
export interface Call {
  /** Aborted when the client cancels the call or goes away. */
  readonly signal: AbortSignal
  /** Tells the client how far the call is; does nothing when the client did not ask for that. */
  progress(done: number, total: number, message: string): Promise<void>
}

/**
 * Registers a tool whose failures are answers: a tool error that says what to do next, so that a model can correct itself. What
 * nobody foresaw is answered in short and logged in full.
 */
export function addTool<I extends z.ZodRawShape, O extends z.ZodRawShape>(
  server: McpServer,
  name: string,
  about: ToolDescription<I, O>,
  run: (input: z.infer<z.ZodObject<I>>, call: Call) => Promise<Answer<z.infer<z.ZodObject<O>>>>,
): void {
  const { title, description, annotations } = about
  const handler = async (input: z.infer<z.ZodObject<I>>, extra: Extra): Promise<CallToolResult> => {
    try {
      const { structured, text } = await run(input, callOf(extra))
      return { structuredContent: structured as Record<string, unknown>, content: [{ type: 'text', text }] }
    } catch (error) {
      // A cancelled call has no answer: the SDK drops this one.
      extra.signal.throwIfAborted()
      return { isError: true, content: [{ type: 'text', text: explain(name, error) }] }
    }
  }
  // The SDK infers the handler's type from schemas of two versions of zod, which a generic function cannot follow.
  const register = server.registerTool.bind(server) as (name: string, config: object, handler: unknown) => void
  register(name, { title, description, inputSchema: about.input, outputSchema: about.output, annotations }, handler)
}

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

function callOf(extra: Extra): Call {
  const token = extra._meta?.progressToken
  return {
    signal: extra.signal,
    async progress(done, total, message) {
      if (token === undefined) return
      const params = { progressToken: token, progress: done, total, message }
      await extra.sendNotification({ method: 'notifications/progress', params })
    },
  }
}

/** Procref's messages say what to do next; so do mistakes. */
function explain(name: string, error: unknown): string {
  if (error instanceof Mistake || error instanceof ProcrefError) return error.message
  if (error instanceof CallTerminatedError) {
    return 'The connection to the database ended before it answered, and what was asked may or may not have been done. Look, and ask again.'
  }
  log(`${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return `${name} failed: ${error instanceof Error ? error.message : String(error)}. The server's standard error has more.`
}
