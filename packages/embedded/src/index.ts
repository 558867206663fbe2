export { type EmbeddedSurrealOptions, embeddedSurreal } from './driver.ts'
export { CredentialsRejectedError, DatabaseOpenError, EngineSpentError, EngineUnavailableError } from './errors.ts'
