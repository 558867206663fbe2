import { sampleRecord } from '../../../packages/lifecycle/test/state/sample-record.ts'
import type { FuzzTarget } from '../target.ts'
import { httpTargets } from './http.ts'
import { messageTargets } from './messages.ts'
import { serviceTarget } from './service.ts'
import { slotFileTargets } from './slot-file.ts'
import { stateFileTargets } from './state-files.ts'
import { webSocketTarget } from './web-socket.ts'

/** All that listens, and all that reads what others may have written. */
export const TARGETS: readonly FuzzTarget[] = [
  ...httpTargets,
  webSocketTarget,
  ...messageTargets,
  ...slotFileTargets,
  ...stateFileTargets,
  serviceTarget(sampleRecord()),
]
