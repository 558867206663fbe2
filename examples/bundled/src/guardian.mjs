// The guardian of the bundle: becomes the process that starts the database server, watches over it and stops it.
import { guardian } from '@procref/lifecycle/guardian'
import { native } from '@procref/native'

// What its clients use. Of a `surreal` executable it knows without being told; for the embedded engine add embeddedSurreal.
guardian({ native })
