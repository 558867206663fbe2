import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { CallToolResult, Progress } from '@modelcontextprotocol/sdk/types.js'
import { HANGS_MS, within } from '@procref/testing'

export type ServerName = 'gcode' | 'gspec'

/** Long enough for one server to be replaced by another, short enough to see the end of the last one. */
const LINGER_MS = 500

/** One of the two servers, started as an MCP client starts it, and that client. */
export interface Program extends AsyncDisposable {
  readonly client: Client
  readonly pid: number
  /** The structured answer; rejects with the tool's words when it is an error. */
  call<T = Record<string, unknown>>(tool: string, input?: object, options?: CallOptions): Promise<T>
  /** The text of the answer. */
  text(tool: string, input?: object): Promise<string>
  /** The tool's words; rejects when it does not fail. */
  mistake(tool: string, input?: object): Promise<string>
  /** What a resource says. */
  read(uri: string): Promise<unknown>
  kill(signal: NodeJS.Signals): void
  /** Ends its standard input, as a client that closes does, which would also kill it when it has not ended four seconds later. */
  endInput(): void
  /** Resolves once the client has seen the end of the process. */
  readonly ended: Promise<void>
  stderr(): string
  /** What the client could not understand: anything on standard output that is not the protocol. */
  readonly errors: readonly Error[]
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** Starts a server on `dir` and waits until the client and it have agreed on the protocol. */
export async function startServer(name: ServerName, dir: string, args: readonly string[] = []): Promise<Program> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [binOf(name), '--linger-ms', String(LINGER_MS), ...args],
    env: { ...(process.env as Record<string, string>), GSC_DIR: dir },
    stderr: 'pipe',
  })
  const client = new Client({ name: 'test', version: '0.0.0' })
  let stderr = ''
  transport.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  const errors: Error[] = []
  client.onerror = (error) => errors.push(error)
  const ended = new Promise<void>((resolve) => {
    client.onclose = resolve
  })
  // Its optional fields are declared in a way that this repository's stricter setting does not take.
  await client.connect(transport as Parameters<Client['connect']>[0])
  const pid = transport.pid ?? 0

  async function call(tool: string, input: object, { signal, onProgress }: CallOptions = {}): Promise<CallToolResult> {
    const options = { timeout: 2 * HANGS_MS, ...(signal && { signal }), ...(onProgress && { onprogress: onProgress }) }
    return (await client.callTool({ name: tool, arguments: { ...input } }, undefined, options)) as CallToolResult
  }
  function textOf(result: CallToolResult): string {
    return result.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n')
  }
  async function answer(tool: string, input: object, options?: CallOptions): Promise<CallToolResult> {
    const result = await call(tool, input, options)
    if (result.isError === true) throw new Error(`${tool}: ${textOf(result)}`)
    return result
  }
  return {
    client,
    pid,
    ended,
    errors,
    stderr: () => stderr,
    kill: (signal) => void process.kill(pid, signal),
    endInput() {
      // What the transport has of it is declared private, and is nowhere else to be had.
      const { _process } = transport as unknown as { readonly _process?: ChildProcess }
      if (_process?.stdin == null) throw new Error(`${name} (pid ${pid}) has no standard input any more`)
      _process.stdin.end()
    },
    async call<T>(tool: string, input: object = {}, options?: CallOptions) {
      return (await answer(tool, input, options)).structuredContent as T
    },
    text: async (tool, input = {}) => textOf(await answer(tool, input)),
    async mistake(tool, input = {}) {
      const result = await call(tool, input)
      if (result.isError !== true) throw new Error(`${tool} did not fail: ${textOf(result)}`)
      return textOf(result)
    },
    async read(uri) {
      const [content] = (await client.readResource({ uri })).contents
      return JSON.parse(content !== undefined && 'text' in content ? content.text : '')
    },
    async [Symbol.asyncDispose]() {
      await client.close()
      await within(`the end of ${name} (pid ${pid})`, ended)
    },
  }
}

export function binOf(name: ServerName): string {
  return fileURLToPath(new URL(`../../${name}-mcp/bin/${name}-mcp.js`, import.meta.url))
}
