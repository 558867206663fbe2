export { native } from './backend.ts'
