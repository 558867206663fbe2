import { tmpdir } from 'node:os'
import { rebuildFromDescriptor, type SlotBackend, type SlotPool } from '@procref/core'
import type { ActorPart } from '../actor.ts'

/** What this program was told on its command line. */
export function readPart(argument: string | undefined = process.argv[2]): ActorPart {
  if (argument === undefined)
    throw new TypeError('this program is started by the conformance suite, with its part as JSON')
  return JSON.parse(argument) as ActorPart
}

export async function openPart({ descriptor, dir, runAs, ...options }: ActorPart): Promise<{
  readonly backend: SlotBackend
  readonly pool: SlotPool
}> {
  const backend = await rebuildFromDescriptor<SlotBackend>(descriptor)
  if (runAs !== undefined) await becomeUser(backend, runAs)
  return { backend, pool: await backend.open(dir, options) }
}

async function becomeUser(backend: SlotBackend, uid: number): Promise<void> {
  // Makes the backend load what it loads lazily: the other user may not be able to read it.
  await backend.support(tmpdir())
  process.setgroups?.([])
  process.setgid?.(uid)
  process.setuid?.(uid)
}
