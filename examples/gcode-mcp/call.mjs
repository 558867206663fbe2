import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const [, , bin, dir, ...calls] = process.argv
const client = new Client({ name: 'x', version: '1' })
await client.connect(
  new StdioClientTransport({
    command: process.execPath,
    args: [bin, '--dir', dir, '--linger-ms', '500'],
    env: process.env,
    stderr: 'inherit',
  }),
)
for (let i = 0; i < calls.length; i += 2) {
  const t = performance.now()
  const r = await client.callTool({ name: calls[i], arguments: JSON.parse(calls[i + 1]) }, undefined, {
    onprogress: (p) => console.log('progress', p.progress, p.total, p.message),
    resetTimeoutOnProgress: true,
    timeout: 60000,
  })
  console.log(
    calls[i],
    (performance.now() - t).toFixed(),
    'ms',
    r.isError ? 'ERROR' : '',
    '\n' + r.content[0].text.slice(0, 1500),
  )
}
await client.close()
