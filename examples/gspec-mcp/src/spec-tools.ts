import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { addTool, type Store } from '@procref/example-gsc'
import { z } from 'zod'
import { linksOf } from './links.ts'
import {
  describeLink,
  describeSpec,
  linkShape,
  plainLink,
  specId,
  specShape,
  specStatus,
  specText,
  specTitle,
} from './shapes.ts'
import { createSpec, listSpecs, readSpec, searchSpecs, updateSpec } from './specs.ts'

const READS = { readOnlyHint: true, openWorldHint: false }
const WRITES = { readOnlyHint: false, openWorldHint: false }

/** The tools that keep specifications. */
export function addSpecTools(server: McpServer, store: Store): void {
  addTool(
    server,
    'create_spec',
    {
      title: 'Create a specification',
      description: 'Writes a new specification. Link it to the symbols that carry it out with link_symbol.',
      input: { id: specId, title: specTitle, text: specText, status: specStatus.default('draft') },
      output: { spec: z.object(specShape) },
      annotations: { ...WRITES, destructiveHint: false, idempotentHint: false },
    },
    async (input) => {
      const spec = await createSpec(store, input)
      return { structured: { spec }, text: `Created ${describeSpec(spec)}` }
    },
  )

  addTool(
    server,
    'update_spec',
    {
      title: 'Change a specification',
      description:
        'Changes title, text or status; what is left out stays. Status "retired" takes it out of touched_specs.',
      input: { id: specId, title: specTitle.optional(), text: specText.optional(), status: specStatus.optional() },
      output: { spec: z.object(specShape) },
      annotations: { ...WRITES, destructiveHint: true, idempotentHint: true },
    },
    async ({ id, ...changes }) => {
      const spec = await updateSpec(store, id, changes)
      return { structured: { spec }, text: `Changed ${describeSpec(spec)}` }
    },
  )

  addTool(
    server,
    'list_specs',
    {
      title: 'List specifications',
      description: 'All specifications, or those of one status, without their texts.',
      input: { status: specStatus.optional() },
      output: { specs: z.array(z.object(specShape).omit({ text: true })) },
      annotations: READS,
    },
    async ({ status }) => {
      const specs = await listSpecs(store, status)
      const text = specs.length === 0 ? 'There are none. Call create_spec.' : specs.map(describeSpec).join('\n')
      return { structured: { specs: specs.map(({ text: _, ...rest }) => rest) }, text }
    },
  )

  addTool(
    server,
    'show_spec',
    {
      title: 'Show a specification',
      description: 'Its text and its links, with what became of each linked symbol.',
      input: { id: specId },
      output: { spec: z.object(specShape), links: z.array(z.object(linkShape)) },
      annotations: READS,
    },
    async ({ id }) => {
      const spec = await readSpec(store, id)
      const links = await linksOf(store, [id])
      const text = [describeSpec(spec), '', spec.text, '', ...links.map(describeLink)].join('\n')
      return { structured: { spec, links: links.map(plainLink) }, text }
    },
  )

  addTool(
    server,
    'search_specs',
    {
      title: 'Search specifications',
      description: 'Specifications that have every given word in id, title or text; case does not matter.',
      input: { words: z.string().min(1).describe('Words, separated by spaces') },
      output: { specs: z.array(z.object(specShape)) },
      annotations: READS,
    },
    async ({ words }) => {
      const specs = await searchSpecs(store, words.split(/\s+/).filter(Boolean))
      const text = specs.length === 0 ? `No specification has: ${words}` : specs.map(describeSpec).join('\n')
      return { structured: { specs: [...specs] }, text }
    },
  )
}
