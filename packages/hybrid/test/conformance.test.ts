import { conformance } from '@procref/conformance'
import { hybrid } from '@procref/hybrid'
import { describeHybrid } from './hybrid-here.ts'

describeHybrid('hybrid()', () => {
  conformance({ factory: hybrid })
})
