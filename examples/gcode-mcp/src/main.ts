import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { optionsOrExit, Store, Subscriptions, serveStdio } from '@procref/example-gsc'
import { addIndexTools } from './index-tools.ts'
import { LANGUAGE_NAMES } from './languages.ts'
import { addQuestionTools } from './question-tools.ts'
import { addResources } from './resources.ts'

const INSTRUCTIONS = `Answers questions about source code (${LANGUAGE_NAMES.join(', ')}) from an index that all programs of this user share.
Call index_folder once for a project, and again after changes: only what changed is written anew. References and callers are found by name.`

/** `gcode-mcp [--dir DIR] [--driver embedded|binary] [--linger-ms N]`: serves until its client is gone. */
export async function main(args: readonly string[]): Promise<void> {
  const options = optionsOrExit(args)
  const server = new McpServer({ name: 'gcode', version: '0.0.0' }, { instructions: INSTRUCTIONS })
  const subscriptions = new Subscriptions(server)
  // Every run that reaches its end writes its folder's row, whichever program it is.
  const onChange = (): void => subscriptions.changed((uri) => uri.startsWith('gcode://'))
  const store = new Store(options, 'gcode', [{ table: 'folder', onChange }])
  addIndexTools(server, store)
  addQuestionTools(server, store)
  addResources(server, store)
  await serveStdio(server, store)
}
