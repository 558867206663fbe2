import { driverTests } from '../../lifecycle/test/drivers/driver-suite.ts'
import { embeddedSurreal } from '../dist/index.js'

driverTests('embedded', { make: ({ storage }) => embeddedSurreal({ storage }) })
