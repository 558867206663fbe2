// Lets a file system (args: where it is mounted) stand still for ever.
import { say } from '@procref/testing/child'
import { whileItStandsStill } from '../../dist/stand-still.js'

await whileItStandsStill(process.argv[2] ?? '', async () => {
  say('frozen')
  await new Promise((resolve) => process.stdin.on('end', resolve).resume())
})
