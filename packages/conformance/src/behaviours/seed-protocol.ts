import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'
import { startProgram } from '../harness/index.ts'
import { hasCode } from '../traits/rejects.ts'

/** The original program, and any program that calls flock(2), can take part in the same directory. */
export const seedProtocol: Behaviour = {
  name: 'seed-protocol',
  claims: ({ guarantees }) =>
    guarantees.interoperatesWithSeed
      ? [
          {
            title: 'slot files are slot_NN.lock and begin with the pid of the holder',
            async check({ open, poolDir }) {
              const pool = await open(poolDir(), { slots: 3 })
              for (let n = 0; n < 3; n++) {
                const { id, path } = await claimOne(pool)
                assert.equal(basename(path ?? ''), `slot_0${id}.lock`)
                assert.equal(readFileSync(path ?? '', 'latin1').split('\n')[0], String(process.pid))
              }
            },
          },
          {
            title: 'a slot that flock(1) holds is held here, and one that we hold is refused to flock(1)',
            async check({ open, poolDir, use, note }) {
              if (!hasFlock()) return note('flock(1) is not installed, so no foreign program was tried')
              const dir = poolDir()
              const pool = await open(dir, { slots: 2 })
              const foreign = use(startFlock(join(dir, 'slot_00.lock')))
              await foreign.line()
              assert.deepEqual(
                (await pool.held()).map(({ slot }) => slot),
                [0],
              )
              assert.equal(await pool.provenEmpty(), false)
              const slot = await claimOne(pool)
              assert.equal(slot.id, 1)
              assert.equal(await pool.tryClaim(), undefined)
              assert.equal(tryFlock(join(dir, 'slot_01.lock')), false)
              await slot.release()
              assert.equal(tryFlock(join(dir, 'slot_01.lock')), true)
              foreign.kill('SIGKILL')
              await foreign.exited
              assert.equal(await pool.provenEmpty(), true)
            },
          },
          {
            title: 'a directory that only the original program has used is taken as it is',
            async check({ open, poolDir, use, note }) {
              if (!hasFlock()) return note('flock(1) is not installed, so no foreign program was tried')
              const dir = poolDir()
              const path = makeSeedDirectory(dir)
              const foreign = use(startFlock(path))
              await foreign.line()
              const pool = await open(dir)
              assert.equal(pool.size, 100)
              assert.deepEqual(
                (await pool.held()).map(({ slot, pid }) => ({ slot, pid })),
                [{ slot: 7, pid: 4711 }],
              )
            },
          },
        ]
      : [
          {
            title: 'a directory that the original program has used is refused, or its holders are seen',
            insteadOf: 'slots are shared with the original program (interoperatesWithSeed is false)',
            async check({ backend, poolDir, open, use, note }) {
              const dir = poolDir()
              const path = makeSeedDirectory(dir)
              if (!(await backend.support(dir)).supported) {
                await assert.rejects(backend.open(dir), hasCode('PROCREF_PROTOCOL_MISMATCH'))
                return
              }
              if (!hasFlock()) return note('flock(1) is not installed, so no foreign program was tried')
              const foreign = use(startFlock(path))
              await foreign.line()
              const pool = await open(dir)
              assert.ok((await pool.held()).some(({ pid }) => pid === 4711))
              assert.equal(await pool.provenEmpty(), false)
            },
          },
        ],
}

/** As the original program leaves it: slot files with a pid, and no `protocol.json`. */
function makeSeedDirectory(dir: string): string {
  mkdirSync(dir, { mode: 0o700 })
  writeFileSync(join(dir, 'slot_00.lock'), '4710\n', { mode: 0o600 })
  writeFileSync(join(dir, 'slot_07.lock'), '4711\n', { mode: 0o600 })
  return join(dir, 'slot_07.lock')
}

function hasFlock(): boolean {
  return spawnSync('flock', ['--version']).status === 0
}

/** Holds the lock until it is killed, and says when it has it. `--no-fork`, so that its own end is the end of the lock. */
function startFlock(path: string) {
  return startProgram('flock', {
    args: ['--exclusive', '--nonblock', '--no-fork', path, 'sh', '-c', 'echo locked; exec sleep 600'],
  })
}

function tryFlock(path: string): boolean {
  const { status } = spawnSync('flock', ['--exclusive', '--nonblock', path, 'true'])
  assert.ok(status === 0 || status === 1, `flock(1) ended with ${status}`)
  return status === 0
}
