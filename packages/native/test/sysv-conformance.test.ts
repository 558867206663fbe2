import { conformance } from '@procref/conformance'
import { sysv } from '@procref/native'
import { describeNative } from './native-built.ts'
import { removeSetsAfterwards } from './semaphore-sets.ts'

describeNative('sysv()', () => {
  removeSetsAfterwards()
  conformance({ factory: sysv })
})
