import type { OpenPoolOptions, SlotBackend, SlotInfo } from '@procref/core'
import { type Child, type ChildOptions, startChild, startProgram } from './harness/index.ts'

/** What an actor's program is told on its command line, as JSON. */
export interface ActorPart extends OpenPoolOptions {
  readonly descriptor: SlotBackend['descriptor']
  readonly dir: string
  readonly runAs?: number
}

export interface ActorOptions extends OpenPoolOptions {
  /** Another program than `children/actor.js` that plays an `ActorPart`. */
  readonly script?: URL
  /** More arguments for it. */
  readonly args?: readonly string[]
  readonly child?: Omit<ChildOptions, 'args'>
  /** Give up being root for this user and group, once everything is loaded. */
  readonly runAs?: number
  /** Starts the actor through this program, which must become it (`exec`) or pass its streams on: `['unshare', '-n']`. */
  readonly through?: readonly [string, ...string[]]
}

/** A process that has rebuilt the backend from its descriptor, opened the pool, and does as it is told. */
export interface Actor extends Child {
  /** The slot's number; `undefined`: every slot is held. */
  tryClaim(): Promise<number | undefined>
  /** Waits for a slot for as long as the test does. */
  claim(): Promise<number>
  /** Releases the slot it claimed last. */
  release(): Promise<void>
  held(): Promise<readonly SlotInfo[]>
  count(): Promise<number>
  provenEmpty(): Promise<boolean>
  /** The code of the error with which `verify()` of the slot claimed last rejects; `undefined`: it is certainly ours. */
  verify(): Promise<string | undefined>
}

const ACTOR = new URL('./children/actor.js', import.meta.url)

/** Starts an actor and waits until its pool is open. */
export async function startActor(backend: SlotBackend, dir: string, options: ActorOptions = {}): Promise<Actor> {
  const { script = ACTOR, args = [], child: childOptions = {}, through, ...open } = options
  const part: ActorPart = { ...open, descriptor: backend.descriptor, dir }
  const all = { ...childOptions, args: [JSON.stringify(part), ...args] }
  const child = through === undefined ? startChild(script, all) : startThrough(through, script, all)
  try {
    await child.event('ready')
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
  const ask = async <T>(word: string): Promise<T> => {
    child.send(word)
    return (await child.event<{ answer: T }>(word)).answer
  }
  return Object.assign(child, {
    tryClaim: async () => (await ask<number | null>('tryClaim')) ?? undefined,
    claim: () => ask<number>('claim'),
    release: () => ask<void>('release'),
    held: () => ask<readonly SlotInfo[]>('held'),
    count: () => ask<number>('count'),
    provenEmpty: () => ask<boolean>('provenEmpty'),
    verify: async () => (await ask<string | null>('verify')) ?? undefined,
  })
}

function startThrough([file, ...before]: readonly [string, ...string[]], script: URL, options: ChildOptions): Child {
  const node = [process.execPath, ...(options.execArgv ?? []), script.pathname, ...(options.args ?? [])]
  return startProgram(file, { ...options, args: [...before, ...node] })
}
