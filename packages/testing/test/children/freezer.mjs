// Freezes the process whose pid it is given.
import { obey, say, sayFailed } from '@procref/testing/child'
import { freeze } from '../../dist/freeze.js'

try {
  await freeze(Number(process.argv[2]))
  say('frozen')
} catch (error) {
  sayFailed(error)
}
obey({})
