// Claim + release of one slot, against the same system calls made through fs-ext and node:fs alone (the floor of this backend).
// Prints one JSON document; compare ratios within one run, never times between runs.
import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { flock } from '@procref/flock'
import { Bench } from 'tinybench'

const { flockSync } = createRequire(import.meta.resolve('@procref/flock'))('fs-ext')
const dir = mkdtempSync(join(tmpdir(), 'procref-bench-'))
try {
  const pool = await flock().open(join(dir, 'slots'), { slots: 100 })
  const path = join(dir, 'floor.lock')
  const record = Buffer.alloc(512, ' ')
  const bench = new Bench({ time: 1_000, warmupTime: 200 })
  bench.add('floor: open, flock, fstat, stat, write, close', () => {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    flockSync(fd, 'exnb')
    fstatSync(fd, { bigint: true })
    statSync(path, { bigint: true })
    writeSync(fd, record, 0, record.length, 0)
    closeSync(fd)
  })
  bench.add('flock(): claim and release', async () => {
    const slot = await pool.claim()
    await slot.release()
  })
  await bench.run()
  const [floor, claim] = bench.tasks.map((task) => ({ name: task.name, medianUs: task.result.latency.p50 * 1000 }))
  console.log(
    JSON.stringify({ node: process.version, results: [floor, claim], ratio: claim.medianUs / floor.medianUs }, null, 2),
  )
  await pool.close()
} finally {
  rmSync(dir, { recursive: true, force: true })
}
