import { obey, say } from '@procref/testing/child'
import { ensureCredentials } from '../../dist/state/credentials.js'
import { layout } from '../../dist/state/layout.js'

obey({ make: () => say('made', ensureCredentials(layout(process.argv[2] ?? ''))) })
say('ready')
