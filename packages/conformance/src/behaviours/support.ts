import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Behaviour } from '../behaviour.ts'

/** Asking whether the backend can be used somewhere gives an answer that is true, and changes nothing. */
export const support: Behaviour = {
  name: 'support',
  claims: () => [
    {
      title:
        'support() says yes to a directory in the temporary directory, whether it exists or not, and makes nothing that stays',
      async check({ backend, freshDir }) {
        const parent = freshDir()
        mkdirSync(join(parent, 'there'), { mode: 0o700 })
        for (const name of ['there', 'missing', join('missing', 'too')]) {
          assert.deepEqual(await backend.support(join(parent, name)), { supported: true }, name)
        }
        assert.deepEqual(readdirSync(parent, { recursive: true }), ['there'])
      },
    },
    {
      title: 'support() of a pool in use says yes and disturbs nobody',
      async check({ backend, poolDir, actor }) {
        const dir = poolDir()
        const holder = await actor(dir, { slots: 2 })
        await holder.tryClaim()
        const before = readdirSync(dir)
        assert.deepEqual(await backend.support(dir), { supported: true })
        assert.deepEqual(readdirSync(dir), before)
        assert.equal(await holder.verify(), undefined)
        assert.equal(await holder.count(), 1)
      },
    },
    {
      title:
        'where there can be no directory, support() says no with a reason, never throws, and open() refuses as well',
      async check({ backend, freshDir }) {
        const parent = freshDir()
        writeFileSync(join(parent, 'file'), '')
        for (const dir of [join(parent, 'file'), join(parent, 'file', 'below'), `${parent}/with\0zero`]) {
          const answer = await backend.support(dir)
          assert.equal(answer.supported, false, `support(${JSON.stringify(dir)})`)
          assert.ok(!answer.supported && answer.reason.length > 0, 'it gives no reason')
          await assert.rejects(
            backend.open(dir).then((pool) => pool.close()),
            Error,
            `open(${JSON.stringify(dir)})`,
          )
        }
        assert.deepEqual(readdirSync(parent), ['file'])
      },
    },
  ],
}
