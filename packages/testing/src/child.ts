// What a test's child program needs; apart, so that it does not load the test runner.
export { obey, say, sayFailed } from '@procref/conformance/harness'
export { useUpDescriptors } from './use-up-descriptors.ts'
