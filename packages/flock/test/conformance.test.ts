import { conformance } from '@procref/conformance'
import { flock } from '@procref/flock'

conformance({ factory: flock })
