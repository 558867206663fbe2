// What a test's child program needs; apart, so that it does not load the test runner.
export { obey, say, sayFailed } from '@procref/conformance/harness'
export { freePort } from './free-port.ts'
export { ownMemory } from './own-memory.ts'
export { useUpDescriptors } from './use-up-descriptors.ts'
