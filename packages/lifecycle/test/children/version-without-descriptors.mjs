// Asks the program in its argument for its version when no descriptor is left to ask with.
import { say, useUpDescriptors } from '@procref/testing/child'
import { surrealVersion } from '../../dist/drivers/find-surreal.js'

useUpDescriptors()
await surrealVersion(process.argv[2]).catch(({ code, message }) => say('refused', { code, message }))
