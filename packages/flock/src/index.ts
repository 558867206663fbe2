export { flock } from './backend.ts'
