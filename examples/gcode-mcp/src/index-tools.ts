import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { addTool, type Store } from '@procref/example-gsc'
import { z } from 'zod'
import { type Folder, forgetFolder, indexedFolder, listFolders, mustNotOverlap } from './folders.ts'
import { indexFolder, resolveFolder } from './index-folder.ts'
import { LANGUAGE_NAMES } from './languages.ts'
import { folderPath, folderShape } from './shapes.ts'

const MAX_SKIPPED_SHOWN = 20

/** The tools that fill and empty the index. */
export function addIndexTools(server: McpServer, store: Store): void {
  addTool(
    server,
    'index_folder',
    {
      title: 'Index a folder',
      description:
        `Reads the source files (${LANGUAGE_NAMES.join(', ')}) of a folder into the shared index, except what git ignores. ` +
        'Call it again after changes: only files whose content changed are written. Can be cancelled, and goes on from there next time.',
      input: { folder: folderPath },
      output: {
        root: z.string(),
        added: z.number().int(),
        changed: z.number().int(),
        deleted: z.number().int(),
        unchanged: z.number().int(),
        skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
        files: z.number().int(),
        symbols: z.number().int(),
      },
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    async ({ folder }, { signal, progress }) => {
      await mustNotOverlap(store, await resolveFolder(folder))
      const result = await indexFolder(store, folder, { signal, progress })
      const { root, added, changed, deleted, unchanged, skipped, files, symbols } = result
      const text = [
        `${root}: ${files} files, ${symbols} symbols (${added} added, ${changed} changed, ${deleted} deleted, ${unchanged} unchanged).`,
        ...skipped.slice(0, MAX_SKIPPED_SHOWN).map(({ path, reason }) => `skipped ${path}: ${reason}`),
        ...(skipped.length > MAX_SKIPPED_SHOWN ? [`… ${skipped.length - MAX_SKIPPED_SHOWN} more skipped`] : []),
      ].join('\n')
      return { structured: { ...result, skipped: [...skipped] }, text }
    },
  )

  addTool(
    server,
    'list_folders',
    {
      title: 'List indexed folders',
      description: 'What is in the shared index, whoever put it there.',
      input: {},
      output: { folders: z.array(z.object(folderShape)) },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async () => {
      const folders = await listFolders(store)
      const text =
        folders.length === 0 ? 'Nothing is indexed yet. Call index_folder.' : folders.map(describe).join('\n')
      return { structured: { folders: [...folders] }, text }
    },
  )

  addTool(
    server,
    'forget_folder',
    {
      title: 'Forget a folder',
      description: 'Takes a folder out of the shared index, for all programs. Files on disk are not touched.',
      input: { folder: folderPath },
      output: { root: z.string(), files: z.number().int() },
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    async ({ folder }, { signal }) => {
      const root = await indexedFolder(store, folder)
      const files = await forgetFolder(store, root, signal)
      return { structured: { root, files }, text: `${root}: ${files} files forgotten.` }
    },
  )
}

function describe({ root, files, symbols, indexedAt }: Folder): string {
  if (indexedAt === undefined) return `${root}: never indexed to its end; call index_folder.`
  return `${root}: ${files} files, ${symbols} symbols, indexed ${indexedAt}`
}
