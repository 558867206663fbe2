import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { addTool, Mistake, type Store } from '@procref/example-gsc'
import { z } from 'zod'
import { gitDiff } from './git-diff.ts'
import { type Link, linkSymbol, reviewLinks, unlinkSymbol } from './links.ts'
import { describeLink, describeSpec, linkShape, plainLink, specId, specShape, symbolName } from './shapes.ts'
import { type Touched, touchedByDiff, touchedByFiles, touchedByIndex } from './touched.ts'

const WRITES = { readOnlyHint: false, openWorldHint: false, idempotentHint: true }

/** The tools that tie specifications to symbols. */
export function addLinkTools(server: McpServer, store: Store): void {
  addTool(
    server,
    'link_symbol',
    {
      title: 'Link a symbol',
      description:
        'Links a specification to a symbol that gcode has indexed, and takes the symbol as reviewed. Not indexed yet: the link is pending until it is.',
      input: { spec: specId, symbol: symbolName },
      output: { link: z.object(linkShape) },
      annotations: { ...WRITES, destructiveHint: false },
    },
    async ({ spec, symbol }) => {
      const link = await linkSymbol(store, spec, symbol)
      return { structured: { link: plainLink(link) }, text: `${spec} is linked to ${describeLink(link)}${hint(link)}` }
    },
  )

  addTool(
    server,
    'unlink_symbol',
    {
      title: 'Unlink a symbol',
      description: 'Takes a link away. The symbol has to be written as it was linked: show_spec shows that.',
      input: { spec: specId, symbol: symbolName },
      output: { spec: z.string(), symbol: z.string() },
      annotations: { ...WRITES, destructiveHint: true },
    },
    async ({ spec, symbol }) => {
      await unlinkSymbol(store, spec, symbol)
      return { structured: { spec, symbol }, text: `${spec} is no longer linked to ${symbol}` }
    },
  )

  addTool(
    server,
    'review_links',
    {
      title: 'Review links',
      description:
        'Says that a specification was compared with its linked symbols as they are now: stale and unreviewed links become current. All, or one.',
      input: { spec: specId, symbol: symbolName.optional() },
      output: { reviewed: z.array(z.string()) },
      annotations: { ...WRITES, destructiveHint: false },
    },
    async ({ spec, symbol }) => {
      const reviewed = (await reviewLinks(store, spec, symbol)).map((link) => link.symbol)
      const text = reviewed.length === 0 ? 'Nothing was to be reviewed.' : `Reviewed: ${reviewed.join(', ')}`
      return { structured: { reviewed }, text }
    },
  )

  addTool(
    server,
    'touched_specs',
    {
      title: 'Which specifications are touched',
      description:
        'The specifications that a change may have made untrue: by files, by a git range, or (with neither) by all that changed in the ' +
        'index since the links were reviewed. Call index_folder of gcode first, so that the index knows the change.',
      input: {
        files: z.array(z.string().min(1)).min(1).optional().describe('Changed files: absolute paths, or ends of paths'),
        diff: z
          .object({
            folder: z.string().min(1).describe('Absolute path of a folder in the repository'),
            range: z
              .string()
              .min(1)
              .describe('As for git diff: "HEAD" for what is not committed, "main...HEAD" for a branch'),
          })
          .optional(),
      },
      output: {
        touched: z.array(
          z.object({
            spec: z.object(specShape).omit({ text: true }),
            links: z.array(z.object({ ...linkShape, why: z.string() })),
          }),
        ),
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ files, diff }, { signal }) => {
      if (files !== undefined && diff !== undefined) throw new Mistake('Give files or diff, not both.')
      const touched =
        files !== undefined
          ? await touchedByFiles(store, files)
          : diff !== undefined
            ? await touchedByDiff(store, await gitDiff(diff.folder, diff.range, signal))
            : await touchedByIndex(store)
      return { structured: { touched: touched.map(plainTouched) }, text: describeTouched(touched) }
    },
  )
}

/** As tools and resources answer it. */
export function plainTouched({ spec: { text: _, ...spec }, links }: Touched) {
  return { spec, links: links.map((link) => ({ ...plainLink(link), why: link.why })) }
}

function describeTouched(touched: readonly Touched[]): string {
  if (touched.length === 0) return 'No specification is touched.'
  return touched
    .flatMap(({ spec, links }) => [describeSpec(spec), ...links.map((link) => `  ${describeLink(link)}: ${link.why}`)])
    .join('\n')
}

function hint({ state }: Link): string {
  return state === 'pending'
    ? '. Nothing of that name is indexed yet: check the spelling, or call index_folder of gcode.'
    : ''
}
