import { conformance } from '@procref/conformance'
import { ofdRange } from '@procref/native'
import { describeNative } from './native-built.ts'

describeNative('ofdRange()', () => {
  conformance({ factory: ofdRange })
})
