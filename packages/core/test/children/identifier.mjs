// Says who it is, and who the pid argv[2] is.

import { identify, identifySelf } from '@procref/core'
import { obey, say } from '@procref/testing/child'

try {
  const other = process.argv[2]
  say('identified', { self: identifySelf(), ...(other && { other: identify(Number(other)) }) })
} catch (error) {
  say('refused', { code: error.code, message: error.message })
}
obey({})
