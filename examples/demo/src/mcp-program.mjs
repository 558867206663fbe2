// An MCP server and its client, as an editor starts them: the official SDK on both ends of standard input and output.
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'

const LIMIT_MS = 30_000
const BINS = {
  gcode: fileURLToPath(import.meta.resolve('@procref/example-gcode-mcp/bin')),
  gspec: fileURLToPath(import.meta.resolve('@procref/example-gspec-mcp/bin')),
}

/** Starts `gcode` or `gspec`. `who` is the name under which the story tells of it. */
export async function startServer(who, kind, args) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BINS[kind], ...args],
    env: process.env,
    stderr: 'pipe',
  })
  let stderr = ''
  transport.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const client = new Client({ name: 'procref-demo', version: '0.0.0' })
  const ended = new Promise((resolve) => {
    client.onclose = resolve
  })
  const news = new Set()
  const listeners = new Set()
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    news.add(params.uri)
    for (const look of listeners) look()
  })
  await client.connect(transport)
  const { pid } = transport

  return {
    who,
    pid,
    ended,
    stderr: () => stderr,
    /** What a tool answers; an error with the tool's words when it fails. */
    async call(name, input = {}, onprogress = undefined) {
      const options = { timeout: LIMIT_MS, resetTimeoutOnProgress: true, ...(onprogress && { onprogress }) }
      const { content, isError, structuredContent } = await client.callTool(
        { name, arguments: input },
        undefined,
        options,
      )
      if (isError) throw new Error(`${who}: ${content[0].text}`)
      return structuredContent
    },
    subscribe: (uri) => client.subscribeResource({ uri }),
    /** Resolves once the server has told that the resource has changed. */
    heard: (uri) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${who}: no news of ${uri}`)), LIMIT_MS)
        const look = () => {
          if (!news.delete(uri)) return
          clearTimeout(timer)
          listeners.delete(look)
          resolve()
        }
        listeners.add(look)
        look()
      }),
    async kill() {
      process.kill(pid, 'SIGKILL')
      await ended
    },
  }
}
