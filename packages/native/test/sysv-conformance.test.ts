import { conformance } from '@procref/conformance'
import { sysv } from '@procref/native'
import { removeSetsAfterwards } from '@procref/testing'
import { describeNative } from './native-built.ts'

describeNative('sysv()', () => {
  removeSetsAfterwards()
  conformance({ factory: sysv })
})
