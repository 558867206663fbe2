import { conformance } from '@procref/conformance'
import { hybrid } from '@procref/hybrid'
import { removeSemaphoresAfterwards } from '@procref/testing'
import { describeHybrid } from './hybrid-here.ts'

describeHybrid('hybrid()', () => {
  removeSemaphoresAfterwards()
  conformance({ factory: hybrid })
})
