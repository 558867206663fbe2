export { log } from './log.ts'
export { Mistake } from './mistake.ts'
export { type GscOptions, optionsOrExit, readOptions } from './options.ts'
export { DATABASE, MIGRATIONS, NAMESPACE } from './schema.ts'
export { serveStdio } from './serve.ts'
export { Store, type Watch } from './store.ts'
export { Subscriptions } from './subscriptions.ts'
export {
  foldedName,
  parseReference,
  preciseName,
  type ResolvedSymbol,
  resolve,
  resolveAll,
  type SymbolReference,
  type SymbolRow,
  specsOf,
} from './symbols.ts'
export { type Answer, addTool, type Call, type ToolDescription } from './tools.ts'
