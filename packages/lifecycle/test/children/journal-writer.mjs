// Appends 500 numbered entries of different lengths to the journal at argv[2].
import { obey, say, sayFailed } from '@procref/testing/child'
import { Journal } from '../../dist/state/journal.js'

const journal = new Journal(process.argv[2] ?? '')

obey({
  write: () => {
    for (let n = 0; n < 500; n++) {
      journal.append({
        event: 'probe-failed',
        reason: 'io-error',
        evidence: { n, filling: 'x'.repeat((n * 37) % 640) },
      })
    }
    if (journal.failure === undefined) say('written')
    else sayFailed(journal.failure)
  },
})
say('ready')
