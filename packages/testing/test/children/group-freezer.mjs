// Makes a control group, starts a program in it that does not end by itself, and freezes the group at once. Its argument: a folder to look
// for `sh` in first, which the program enters the group with.
import { obey, say, sayFailed } from '@procref/testing/child'
import { makeControlGroup } from '../../dist/control-group.js'

try {
  const group = makeControlGroup()
  const { pid } = group.start('sleep', { args: ['1000'], env: { PATH: `${process.argv[2]}:${process.env.PATH}` } })
  await group.freeze()
  say('frozen', { pid })
} catch (error) {
  sayFailed(error)
}
obey({})
