import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { optionsOrExit, Store, Subscriptions, serveStdio } from '@procref/example-gsc'
import { addLinkTools } from './link-tools.ts'
import { Announcer, addResources } from './resources.ts'
import { addSpecTools } from './spec-tools.ts'

const INSTRUCTIONS = `Keeps specifications and links them to the symbols that carry them out. The symbols are those that gcode indexes; without gcode links
stay pending. Before and after a change ask touched_specs which specifications to read; say review_links once text and code agree again.`

/** `gspec-mcp [--dir DIR] [--driver embedded|binary] [--linger-ms N]`: serves until its client is gone. */
export async function main(args: readonly string[]): Promise<void> {
  const options = optionsOrExit(args)
  const server = new McpServer({ name: 'gspec', version: '0.0.0' }, { instructions: INSTRUCTIONS })
  const announcer = new Announcer(new Subscriptions(server))
  const look = (): void => announcer.lookForTouched(store)
  const change = (): void => {
    announcer.specsChanged()
    look()
  }
  // gcode writes a folder's row when it has indexed it; the rows of symbols before that would be too much news.
  const store: Store = new Store(options, 'gspec', [
    { table: 'folder', onChange: look },
    { table: 'spec', onChange: change },
    { table: 'link', onChange: change },
  ])
  addSpecTools(server, store)
  addLinkTools(server, store)
  addResources(server, store)
  await serveStdio(server, store)
}
