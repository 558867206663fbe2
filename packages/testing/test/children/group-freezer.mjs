// Makes a control group with a program in it that does not end by itself, and freezes the group.
import { obey, say, sayFailed } from '@procref/testing/child'
import { makeControlGroup } from '../../dist/control-group.js'

try {
  const group = makeControlGroup()
  const { pid } = group.start('sleep', { args: ['1000'] })
  await group.freeze()
  say('frozen', { pid })
} catch (error) {
  sayFailed(error)
}
obey({})
