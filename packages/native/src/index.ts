export { native } from './backend.ts'
export { isNativeCodeHere } from './load-binding.ts'
