// Has nothing to do with any service, and must outlive all of it.
import { obey, say } from '@procref/testing/child'

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(1))
obey({})
say('ready')
