// Says who has the file (device argv[2], number argv[3]) open, and what PATH the pid argv[4] was started with.
import { obey, say } from '@procref/testing/child'
import { environmentOf, holdersOf } from '../../dist/identity/file-holders.js'

const [, , dev = '0', ino = '0', pid = '0'] = process.argv
say('looked', {
  ...(await holdersOf({ dev: BigInt(dev), ino: BigInt(ino) })),
  path: environmentOf(Number(pid), 'PATH'),
})
obey({})
