import { conformance } from '@procref/conformance'
import { robustMutex } from '@procref/native'
import { describeNative } from './native-built.ts'

describeNative('robustMutex()', () => {
  conformance({ factory: robustMutex })
})
