import { conformance } from '@procref/conformance'
import { native } from '@procref/native'
import { describeNative } from './native-built.ts'

describeNative('native()', () => {
  conformance({ factory: native })
})
