// Takes each of the locks `0.lock` … in the folder argv[2], argv[3] of them, once it is told to, again and again until each is taken by
// somebody, and gives none back. argv[4]: with which library.
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockfile } from '@procref/lockfile'
import { obey, say } from '@procref/testing/child'
import properLockfile from 'proper-lockfile'

const [, , dir, count, library] = process.argv

const { locks } = lockfile({ leaseMs: 5_000 })
const TAKE = {
  ours: (path) => locks.tryLock(path) !== undefined,
  'proper-lockfile': (path) => {
    try {
      properLockfile.lockSync(path, { realpath: false, stale: 60_000, onCompromised() {} })
      return true
    } catch (error) {
      // ENOENT: another one has removed what this one had just made, before it was looked at: nobody says that it has it.
      if (error.code === 'ELOCKED' || error.code === 'ENOENT') return false
      throw error
    }
  },
}[library]

/** Taken by anybody is what its taker has written down. */
function open(done) {
  return Array.from({ length: Number(count) }, (_, n) => n).filter((n) => !done.has(n))
}

function takenByAnybody() {
  const all = readdirSync(dir).filter((name) => name.startsWith('taken-'))
  return new Set(all.flatMap((name) => JSON.parse(readFileSync(join(dir, name), 'utf8'))))
}

async function take() {
  const mine = []
  for (;;) {
    const left = open(takenByAnybody())
    if (left.length === 0) break
    for (const n of left) if (!mine.includes(n) && TAKE(join(dir, `${n}.lock`))) mine.push(n)
    // Renamed into place, so that nobody reads half of it.
    writeFileSync(join(dir, `new-${process.pid}`), JSON.stringify(mine))
    renameSync(join(dir, `new-${process.pid}`), join(dir, `taken-${process.pid}`))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  say('took', { mine })
}

obey({ take })
say('ready')
