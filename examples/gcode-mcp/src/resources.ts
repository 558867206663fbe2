import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { Store } from '@procref/example-gsc'
import { listFolders } from './folders.ts'
import { outline } from './questions.ts'

export const FOLDERS_URI = 'gcode://folders'
const MIME = 'application/json'

/** What a client can read, and subscribe to, without calling a tool: the folders, and the outline of each file. */
export function addResources(server: McpServer, store: Store): void {
  server.registerResource(
    'folders',
    FOLDERS_URI,
    { title: 'Indexed folders', description: 'Changes whenever a folder was indexed, by whoever', mimeType: MIME },
    async (uri) => contents(uri, { folders: await listFolders(store) }),
  )
  server.registerResource(
    'outline',
    new ResourceTemplate('gcode://outline/{+path}', { list: undefined }),
    { title: 'Outline of a file', description: 'path: as the tool outline takes it', mimeType: MIME },
    async (uri, { path }) => contents(uri, await outline(store, decodeURIComponent(String(path)))),
  )
}

function contents(uri: URL, value: object): { contents: { uri: string; mimeType: string; text: string }[] } {
  return { contents: [{ uri: uri.href, mimeType: MIME, text: JSON.stringify(value, undefined, 2) }] }
}
