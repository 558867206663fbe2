import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as TreeSitter from '@vscode/tree-sitter-wasm'

const require = createRequire(import.meta.url)
/** It has no ES module, and what it exports cannot be told from its text. */
const { Language, Parser, Query } = require('@vscode/tree-sitter-wasm') as typeof TreeSitter

interface LanguageDescription {
  readonly extensions: readonly string[]
  /** Files of the queries folder: what defines, mentions and hides names in it. */
  readonly queries: readonly string[]
}

export type LanguageName = 'typescript' | 'tsx' | 'javascript' | 'python' | 'rust' | 'go' | 'java' | 'cpp'

const LANGUAGES: Readonly<Record<LanguageName, LanguageDescription>> = {
  typescript: { extensions: ['.ts', '.mts', '.cts'], queries: ['ecmascript', 'typescript'] },
  tsx: { extensions: ['.tsx'], queries: ['ecmascript', 'typescript', 'tsx'] },
  javascript: { extensions: ['.js', '.mjs', '.cjs', '.jsx'], queries: ['ecmascript', 'javascript', 'tsx'] },
  python: { extensions: ['.py', '.pyi'], queries: ['python'] },
  rust: { extensions: ['.rs'], queries: ['rust'] },
  go: { extensions: ['.go'], queries: ['go'] },
  java: { extensions: ['.java'], queries: ['java'] },
  cpp: { extensions: ['.c', '.h', '.cc', '.cpp', '.cxx', '.hh', '.hpp', '.hxx'], queries: ['cpp'] },
}

const names = Object.keys(LANGUAGES) as LanguageName[]
const byExtension = new Map<string, LanguageName>(
  names.flatMap((name) => LANGUAGES[name].extensions.map((extension) => [extension, name] as const)),
)

/** The names of the languages that can be indexed. */
export const LANGUAGE_NAMES: readonly string[] = names

/** Told by the file's name; `undefined`: not a source file that can be indexed. */
export function languageOf(path: string): LanguageName | undefined {
  return byExtension.get(extname(basename(path)).toLowerCase())
}

/** A parser and the query to run on its trees. */
export interface LoadedLanguage {
  readonly parser: TreeSitter.Parser
  readonly query: TreeSitter.Query
}

const loaded = new Map<LanguageName, Promise<LoadedLanguage>>()
let initialized: Promise<void> | undefined

/** Loads a grammar when it is first needed; each takes some megabytes until the process ends. */
export function loadLanguage(name: LanguageName): Promise<LoadedLanguage> {
  const before = loaded.get(name)
  if (before !== undefined) return before
  const loading = load(name)
  loaded.set(name, loading)
  return loading
}

async function load(name: LanguageName): Promise<LoadedLanguage> {
  initialized ??= Parser.init()
  await initialized
  const language = await Language.load(require.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`))
  const parser = new Parser()
  parser.setLanguage(language)
  return { parser, query: new Query(language, queryText(name)) }
}

/** The text of a language's query: what is found in a file depends on it and on the file alone. */
export function queryText(name: LanguageName): string {
  return LANGUAGES[name].queries
    .map((part) => readFileSync(fileURLToPath(new URL(`../queries/${part}.scm`, import.meta.url)), 'utf8'))
    .join('\n')
}
