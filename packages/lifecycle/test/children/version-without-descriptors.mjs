// Asks the program in its argument for its version when no descriptor is left to ask with.
import { openSync } from 'node:fs'
import { say } from '@procref/testing/child'
import { surrealVersion } from '../../dist/drivers/find-surreal.js'

try {
  for (;;) openSync('/dev/null', 'r')
} catch (error) {
  if (error.code !== 'EMFILE') throw error
}
await surrealVersion(process.argv[2]).catch(({ code, message }) => say('refused', { code, message }))
