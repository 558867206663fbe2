import { createHash } from 'node:crypto'
import type { SymbolRow } from '@procref/example-gsc'
import type { Node, QueryMatch } from '@vscode/tree-sitter-wasm'
import { type LanguageName, loadLanguage } from './languages.ts'

/** Raise it when the same file and query give other rows than before, so that everything is indexed anew. */
export const EXTRACTOR_VERSION = 1

/** A parse that takes this long has met a pathological file. */
const PARSE_LIMIT_MS = 10_000
const SIGNATURE_LENGTH = 200

export type FoundSymbol = Omit<SymbolRow, 'root' | 'path' | 'language'>

export const MENTION_KINDS = ['call', 'new', 'inherit', 'type', 'import', 'export', 'use'] as const
export type MentionKind = (typeof MENTION_KINDS)[number]

/** A place where a name stands without being defined. */
export interface Site {
  readonly line: number
  readonly column: number
  readonly kind: MentionKind
  /** Qualified name of the innermost symbol around it. */
  readonly within?: string
}

export interface Mention {
  readonly name: string
  readonly sites: readonly Site[]
}

export interface Extract {
  readonly symbols: readonly FoundSymbol[]
  readonly mentions: readonly Mention[]
}

/**
 * The symbols that a source text defines and the names that it mentions.
 *
 * Names are matched by their spelling: no types are inferred. A plain name that the file uses for a parameter or a local
 * variable, and does not define as a symbol, is left out.
 * Returns `undefined` for a text that takes the parser more than 10 s. Syntax errors are no obstacle: what is readable is read.
 */
export async function extract(language: LanguageName, text: string): Promise<Extract | undefined> {
  const { parser, query } = await loadLanguage(language)
  const deadline = performance.now() + PARSE_LIMIT_MS
  const tree = parser.parse(text, null, { progressCallback: () => performance.now() > deadline })
  if (tree === null) {
    parser.reset()
    return undefined
  }
  try {
    const matches = query.matches(tree.rootNode)
    const definitions = nest(definitionsIn(matches))
    return { symbols: definitions.flatMap((d) => symbolOf(d)), mentions: mentionsIn(matches, definitions) }
  } finally {
    // The tree lives in the memory of the WebAssembly module, where no garbage is collected.
    tree.delete()
  }
}

interface Definition {
  readonly node: Node
  /** Missing in a scope that only names the container of what is in it (`impl Name { … }`). */
  readonly name?: Node
  readonly kind: string
  readonly ownContainer?: string
  container: string | undefined
  containerKind: string | undefined
}

function definitionsIn(matches: readonly QueryMatch[]): Definition[] {
  const byName = new Map<number, { definition: Definition; pattern: number }>()
  const scopes: Definition[] = []
  for (const { patternIndex, captures } of matches) {
    const scope = captures.find(({ name }) => name === 'scope')
    const whole = captures.find(({ name }) => name.startsWith('definition.'))
    const container = captures.find(({ name }) => name === 'container')?.node.text
    const name = captures.find((capture) => capture.name === 'name')?.node
    const nesting = {
      container: undefined,
      containerKind: undefined,
      ...(container !== undefined && { ownContainer: container }),
    }
    if (scope !== undefined) scopes.push({ node: scope.node, kind: 'scope', ...nesting })
    if (whole === undefined || name === undefined) continue
    const before = byName.get(name.startIndex)
    if (before !== undefined && before.pattern <= patternIndex) continue
    const definition = { node: whole.node, name, kind: whole.name.slice('definition.'.length), ...nesting }
    byName.set(name.startIndex, { definition, pattern: patternIndex })
  }
  return [...scopes, ...[...byName.values()].map(({ definition }) => definition)]
}

/** Sorts definitions by position, outer ones first, and gives each the qualified name of what it stands in. */
function nest(definitions: Definition[]): readonly Definition[] {
  definitions.sort((a, b) => a.node.startIndex - b.node.startIndex || b.node.endIndex - a.node.endIndex)
  const around: Definition[] = []
  for (const definition of definitions) {
    while (around.length > 0 && (around.at(-1)?.node.endIndex ?? 0) < definition.node.endIndex) around.pop()
    const outer = around.at(-1)
    const parts = [outer && insideOf(outer), definition.ownContainer?.replaceAll('::', '.')]
    definition.container = definition.kind === 'scope' ? outer && insideOf(outer) : join(parts)
    definition.containerKind = outer?.kind
    around.push(definition)
  }
  return definitions
}

/** The qualified name that is the container of whatever stands directly in it. */
function insideOf(definition: Definition): string | undefined {
  return join([definition.container, definition.name === undefined ? definition.ownContainer : nameOf(definition.name)])
}

function join(parts: readonly (string | undefined)[]): string | undefined {
  const given = parts.filter((part) => part !== undefined && part !== '')
  return given.length === 0 ? undefined : given.join('.')
}

/** Without the `#` of a private name, so that one never has to guess it. */
function nameOf(node: Node): string {
  return node.text.replace(/^#/, '').replaceAll('::', '.')
}

const TYPE_KINDS = new Set(['class', 'struct', 'interface', 'enum', 'scope'])

function symbolOf(definition: Definition): readonly FoundSymbol[] {
  const { node, name, kind, container, containerKind } = definition
  if (name === undefined) return []
  const text = node.text
  return [
    {
      kind: kind === 'function' && containerKind !== undefined && TYPE_KINDS.has(containerKind) ? 'method' : kind,
      name: nameOf(name),
      ...(container !== undefined && { container }),
      qualified: join([container, nameOf(name)]) ?? '',
      signature: signatureOf(node),
      line: name.startPosition.row + 1,
      column: name.startPosition.column + 1,
      endLine: node.endPosition.row + 1,
      body: createHash('sha256').update(text).digest('base64url').slice(0, 22),
    },
  ]
}

/** Up to the body; of what has none, the first line. */
function signatureOf(node: Node): string {
  const body = node.childForFieldName('body') ?? node.childForFieldName('value')?.childForFieldName('body')
  const text = body ? node.text.slice(0, body.startIndex - node.startIndex) : (node.text.split('\n', 1)[0] ?? '')
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > SIGNATURE_LENGTH ? `${line.slice(0, SIGNATURE_LENGTH - 1)}…` : line
}

function mentionsIn(matches: readonly QueryMatch[], definitions: readonly Definition[]): readonly Mention[] {
  const defined = new Set(definitions.flatMap(({ name }) => (name === undefined ? [] : [name.startIndex])))
  const symbols = new Set(definitions.flatMap(({ name }) => (name === undefined ? [] : [nameOf(name)])))
  const locals = new Set<string>()
  const notMentioned = new Set<number>()
  const best = new Map<number, { node: Node; kind: MentionKind; member: boolean }>()
  for (const { captures } of matches) {
    for (const { name, node } of captures) {
      if (name === 'local') locals.add(node.text)
      if (name === 'local' || name === 'ignored') notMentioned.add(node.startIndex)
      const [is, kind, member] = name.split('.')
      if (is !== 'reference') continue
      const rank = MENTION_KINDS.indexOf(kind as MentionKind)
      const before = best.get(node.startIndex)
      if (before !== undefined && MENTION_KINDS.indexOf(before.kind) < rank) continue
      best.set(node.startIndex, {
        node,
        kind: kind as MentionKind,
        member: member !== undefined || before?.member === true,
      })
    }
  }
  const byName = new Map<string, Site[]>()
  const inner = innermost(definitions)
  for (const [index, { node, kind, member }] of [...best].sort(([a], [b]) => a - b)) {
    const name = nameOf(node)
    if (defined.has(index) || notMentioned.has(index)) continue
    if (!member && locals.has(name) && !symbols.has(name)) continue
    const within = inner(index)
    const site = {
      line: node.startPosition.row + 1,
      column: node.startPosition.column + 1,
      kind,
      ...(within !== undefined && { within }),
    }
    const sites = byName.get(name)
    if (sites === undefined) byName.set(name, [site])
    else sites.push(site)
  }
  return [...byName].map(([name, sites]) => ({ name, sites }))
}

/** For positions that only grow: the qualified name of the innermost symbol around each. */
function innermost(definitions: readonly Definition[]): (index: number) => string | undefined {
  const around: Definition[] = []
  let next = 0
  return (index) => {
    for (let d = definitions[next]; d !== undefined && d.node.startIndex <= index; d = definitions[++next])
      around.push(d)
    while (around.length > 0 && (around.at(-1)?.node.endIndex ?? 0) <= index) around.pop()
    const symbol = around.findLast(({ name, node }) => name !== undefined && node.endIndex > index)
    return symbol && insideOf(symbol)
  }
}
