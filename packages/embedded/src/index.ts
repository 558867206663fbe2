export { type EmbeddedSurrealOptions, embeddedSurreal } from './driver.ts'
export { DatabaseOpenError, EngineSpentError, EngineUnavailableError } from './errors.ts'
