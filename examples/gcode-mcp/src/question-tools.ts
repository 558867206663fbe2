import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { addTool, preciseName, type ResolvedSymbol, type Store, type SymbolRow } from '@procref/example-gsc'
import { z } from 'zod'
import { MENTION_KINDS } from './extract.ts'
import { findSymbols } from './find-symbols.ts'
import { indexedFolder } from './folders.ts'
import { callers, definitions, outline, references } from './questions.ts'
import { folderPath, limited, location, resolvedShape, symbolName, symbolShape } from './shapes.ts'

const READS = { readOnlyHint: true, openWorldHint: false }

/** The tools that answer from the index. */
export function addQuestionTools(server: McpServer, store: Store): void {
  addTool(
    server,
    'find_symbols',
    {
      title: 'Find symbols',
      description:
        'Symbols whose name begins with, contains or resembles a text (case does not matter; typos and left out letters are found too).',
      input: {
        query: z.string().min(1).describe('A part of a name; "Container.na" looks in containers of that name only'),
        kind: z.string().optional().describe('Only symbols of this kind, e.g. function, method, class'),
        folder: folderPath.optional().describe('Only in this indexed folder'),
        limit: limited(200, 20),
      },
      output: {
        symbols: z.array(z.object({ ...symbolShape, match: z.enum(['prefix', 'part', 'similar']) })),
      },
      annotations: READS,
    },
    async ({ query, kind, folder, limit }) => {
      const root = folder === undefined ? undefined : await indexedFolder(store, folder)
      const symbols = await findSymbols(store, { query, kind, root, limit })
      const text = symbols.length === 0 ? `No symbol resembles ${query}.` : symbols.map(describe).join('\n')
      return { structured: { symbols: [...symbols] }, text }
    },
  )

  addTool(
    server,
    'definition',
    {
      title: 'Show a definition',
      description:
        'Where a symbol is defined, its signature and its source. Several symbols of one name are all shown.',
      input: { symbol: symbolName },
      output: {
        definitions: z.array(
          z.object({
            ...symbolShape,
            source: z.string().optional().describe('At most 80 lines'),
            specs: z.array(z.string()).describe('Specifications that gspec has linked to it'),
            outdated: z.boolean().describe('The file was changed or deleted since it was indexed'),
          }),
        ),
      },
      annotations: READS,
    },
    async ({ symbol }) => {
      const found = await definitions(store, symbol)
      const text = found
        .map((row) => {
          const note = row.outdated ? '\n(its file has changed since it was indexed: call index_folder)' : ''
          const specs = row.specs.length === 0 ? '' : `\n(specified by ${row.specs.join(', ')})`
          return `${describe(row)}${specs}${note}${row.source === undefined ? '' : `\n${row.source}`}`
        })
        .join('\n\n')
      return { structured: { definitions: found.map((row) => ({ ...row, specs: [...row.specs] })) }, text }
    },
  )

  addTool(
    server,
    'references',
    {
      title: 'Find references',
      description:
        'Where a name is called, constructed, extended, imported or used otherwise. Found by name, without types.',
      input: {
        symbol: symbolName,
        kinds: z.array(z.enum(MENTION_KINDS)).min(1).optional().describe('Only references of these kinds'),
        limit: limited(1_000, 100),
      },
      output: {
        symbols: z.array(z.object(resolvedShape)).describe('What the name can mean'),
        references: z.array(
          z.object({
            ...location,
            line: z.number().int(),
            column: z.number().int(),
            kind: z.enum(MENTION_KINDS),
            within: z.string().optional().describe('The symbol around it'),
          }),
        ),
        total: z.number().int(),
      },
      annotations: READS,
    },
    async ({ symbol, kinds, limit }) => {
      const found = await references(store, { symbol, kinds, limit })
      const lines = found.references.map(
        ({ path, line, column, kind, within }) =>
          `${path}:${line}:${column} ${kind}${within === undefined ? '' : ` in ${within}`}`,
      )
      const more = found.total > lines.length ? [`… ${found.total - lines.length} more: raise limit`] : []
      const text = [
        ...meanings(symbol, found.symbols),
        `${found.total} reference(s) to ${symbol}`,
        ...lines,
        ...more,
      ].join('\n')
      return {
        structured: { symbols: found.symbols.map(plain), references: [...found.references], total: found.total },
        text,
      }
    },
  )

  addTool(
    server,
    'callers',
    {
      title: 'Find callers',
      description: 'Which symbols call or construct a symbol. Found by name, without types.',
      input: { symbol: symbolName },
      output: {
        symbols: z.array(z.object(resolvedShape)).describe('What the name can mean'),
        callers: z.array(
          z.object({
            ...location,
            qualified: z.string().optional().describe('Missing for calls outside of every symbol'),
            lines: z.array(z.number().int()),
          }),
        ),
      },
      annotations: READS,
    },
    async ({ symbol }) => {
      const found = await callers(store, symbol)
      const lines = found.callers.map(
        ({ path, qualified, lines }) => `${path}#${qualified ?? '(outside of symbols)'} at line ${lines.join(', ')}`,
      )
      const text = [...meanings(symbol, found.symbols), `${lines.length} caller(s) of ${symbol}`, ...lines].join('\n')
      const structured = {
        symbols: found.symbols.map(plain),
        callers: found.callers.map((c) => ({ ...c, lines: [...c.lines] })),
      }
      return { structured, text }
    },
  )

  addTool(
    server,
    'outline',
    {
      title: 'Outline a file',
      description: 'The symbols of one indexed file, in their order.',
      input: { file: z.string().min(1).describe('Absolute path, or the end of a path of one indexed file') },
      output: {
        ...location,
        language: z.string(),
        lines: z.number().int(),
        symbols: z.array(z.object(symbolShape)),
      },
      annotations: READS,
    },
    async ({ file }) => {
      const found = await outline(store, file)
      const lines = found.symbols.map((row) => {
        const depth = row.container === undefined ? 0 : row.container.split('.').length
        return `${'  '.repeat(depth)}${row.line}-${row.endLine} ${row.kind} ${row.signature}`
      })
      const text = [`${found.root}/${found.path} (${found.language}, ${found.lines} lines)`, ...lines].join('\n')
      return { structured: { ...found, symbols: [...found.symbols] }, text }
    },
  )
}

function describe(row: SymbolRow): string {
  return `${row.kind} ${preciseName(row)} (line ${row.line}): ${row.signature}`
}

/** Said only where a name has several meanings: what follows holds for all of them. */
function meanings(name: string, symbols: readonly ResolvedSymbol[]): readonly string[] {
  if (symbols.length < 2) return []
  return [
    `${symbols.length} symbols are called ${name}, and references are found by name: ${symbols.map(preciseName).join(', ')}`,
  ]
}

function plain({ root, path, qualified, kind }: ResolvedSymbol): z.infer<z.ZodObject<typeof resolvedShape>> {
  return { root, path, qualified, kind }
}
