import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { type Descriptor, rebuildFromDescriptor, type SlotBackend } from '@procref/core'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'

/** Another process makes the same backend from a piece of JSON. */
export const descriptor: Behaviour = {
  name: 'descriptor',
  claims: () => [
    {
      title: 'the descriptor is JSON and names its module by a file: URL',
      async check({ backend }) {
        assert.deepEqual(throughJson(backend.descriptor), backend.descriptor)
        assert.equal(new URL(backend.descriptor.module).protocol, 'file:')
        assert.equal(typeof backend.descriptor.factory, 'string')
      },
    },
    {
      title: 'the rebuilt backend is the same: name, guarantees, descriptor, and slots',
      async check({ backend, open, poolDir, use }) {
        const again = await rebuildFromDescriptor<SlotBackend>(throughJson(backend.descriptor))
        assert.equal(again.name, backend.name)
        assert.deepEqual(again.guarantees, backend.guarantees)
        assert.deepEqual(again.descriptor, backend.descriptor)
        const dir = poolDir()
        const slot = await claimOne(await open(dir, { slots: 1 }))
        const rebuilt = use(await again.open(dir))
        assert.equal(rebuilt.backend, backend.name)
        assert.equal(await rebuilt.tryClaim(), undefined)
        assert.deepEqual(
          (await rebuilt.held()).map((info) => info.slot),
          [slot.id],
        )
        await slot.release()
        await claimOne(rebuilt)
      },
    },
    {
      title: 'a process in another working directory, with none of our environment, rebuilds it as well',
      async check({ poolDir, actor, open }) {
        const dir = poolDir()
        const bare = await actor(dir, { slots: 1, child: { cwd: tmpdir(), bareEnv: 'bare' } })
        assert.equal(await bare.tryClaim(), 0)
        assert.equal(await (await open(dir)).tryClaim(), undefined)
      },
    },
  ],
}

/** What another process gets to see. */
function throughJson(descriptor: Descriptor): Descriptor {
  return JSON.parse(JSON.stringify(descriptor)) as Descriptor
}
