import { conformance } from '@procref/conformance'
import { lockfile } from '@procref/lockfile'

conformance({ factory: () => lockfile({ leaseMs: 5_000 }), stressClaims: 2_000 })
