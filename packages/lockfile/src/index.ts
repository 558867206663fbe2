export { type LockfileOptions, lockfile } from './backend.ts'
export { HeartUnavailableError } from './heart.ts'
