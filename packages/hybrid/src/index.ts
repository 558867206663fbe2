export { type HybridOptions, hybrid } from './backend.ts'
