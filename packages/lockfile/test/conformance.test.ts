import { conformance } from '@procref/conformance'
import { lockfile } from '@procref/lockfile'

// With the lease that it has if nobody asks for another: a process that stands still for longer, as it may on a busy machine, loses its slots.
conformance({ factory: () => lockfile(), stressClaims: 2_000 })
