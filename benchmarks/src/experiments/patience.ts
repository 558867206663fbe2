import { setTimeout as delay } from 'node:timers/promises'
import type { Actor } from '../actor/actor.ts'
import type { Claimed } from '../actor/protocol.ts'
import type { Scale } from '../results.ts'

/**
 * What has not happened by then counts as "never". Longer than the ten seconds after which most libraries with a lease take a permit
 * away from whoever does not renew it.
 */
const PATIENCE_MS: Readonly<Record<Scale, number>> = { guard: 4_000, quick: 13_000, full: 30_000 }

/** Between two looks. */
const LOOK_MS = 20

/** Whatever is not blocked has happened by then. Too short can miss a fault, and never invents one: where the faults are known it is longer. */
const QUIET_MS: Readonly<Record<Scale, number>> = { guard: 5_000, quick: 300, full: 300 }

export function patienceOf(context: { readonly scale: Scale }): number {
  return PATIENCE_MS[context.scale]
}

export function quietOf(context: { readonly scale: Scale }): number {
  return QUIET_MS[context.scale]
}

/** What `pending` gives, or undefined when it has not within `ms`. */
export async function within<T>(ms: number, pending: Promise<T>): Promise<T | undefined> {
  const over = new AbortController()
  try {
    return await Promise.race([pending, delay(ms, undefined, { signal: over.signal })])
  } finally {
    over.abort()
  }
}

/** A permit for whoever asks again and again without waiting; undefined: none within `ms`. */
export async function tryUntil(
  actor: Actor,
  ms: number,
): Promise<{ readonly tries: number; readonly tookMs: number } | undefined> {
  const began = performance.now()
  for (let tries = 1; ; tries++) {
    const { slot } = await actor.ask('try')
    const tookMs = performance.now() - began
    if (slot !== null) return { tries, tookMs }
    if (tookMs > ms) return undefined
    await delay(LOOK_MS)
  }
}

/** Takes what can be had of `count` permits until `ms` are over: how many it holds then. */
export async function fillUntil(actor: Actor, count: number, ms: number): Promise<number> {
  const began = performance.now()
  let { held } = await actor.ask('fill', count)
  while (held < count && performance.now() - began < ms) {
    await delay(LOOK_MS)
    held = (await actor.ask('fill', count - held)).held
  }
  return held
}

/** From `sinceNs` (`process.hrtime.bigint()` of any process of this machine) until the permit was there. */
export function msSince(sinceNs: bigint, { atNs }: Pick<Claimed, 'atNs'>): number {
  return Math.max(0, Number(BigInt(atNs) - sinceNs) / 1e6)
}

/** `0.42 ms`, `17 ms`, `10.1 s`. */
export function spelled(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms >= 10 ? `${Math.round(ms)} ms` : `${Number(ms.toPrecision(2))} ms`
}
