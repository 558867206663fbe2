// Chooses a backend for the directory it is told when it can open only so many files more: args: dir, how many.
import { say } from '@procref/testing/child'
import { leaveDescriptors } from '../../../../tests/service/children/few-descriptors.mjs'
import { KNOWN_BACKENDS } from '../../dist/backends.js'
import { chooseBackend } from '../../dist/choose-backend.js'

const [, , dir, spare] = process.argv
// Loaded already, as in a program that has a connection: to a file that it cannot read now Node says that there is none.
for (const backend of KNOWN_BACKENDS) await (await backend.load()).support('/nowhere')
leaveDescriptors(Number(spare))
const answer = await chooseBackend({ slotsDir: dir }).then(
  ({ backend }) => ({ chosen: backend.name }),
  (error) => ({ code: error.code, message: error.message }),
)
say('answer', answer)
