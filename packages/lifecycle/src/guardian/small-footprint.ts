import { installedModule } from '@procref/core'

/**
 * What Node is told when the guardian does nothing but wait. Young objects get two times a mebibyte (`--max-semi-space-size`,
 * the least there is), or they would take up to 16 before anybody looked whether they are garbage; nothing is
 * optimized, but in a bundle, which has no such file of its own; and `Collector` may ask for a collection.
 */
export function smallFootprint(): readonly string[] {
  const withoutOptimizer = installedModule('@procref/lifecycle', import.meta.url, './without-optimizer.js')
  return [
    '--max-semi-space-size=1',
    '--expose-gc',
    ...(withoutOptimizer === undefined ? [] : ['--import', withoutOptimizer]),
  ]
}

const COLLECT_MS = 600_000

/**
 * Whatever is alive when V8 collects the young objects of a guardian (every half minute) is kept as an old one: 15 KB, garbage a moment
 * later. V8 looks at the old ones when 4 MB of them have gathered, after some hours; here that is asked for every ten minutes,
 * for some 10 ms. Does nothing in a process that was started without `smallFootprint`: an engine in it has its own pace.
 */
export class Collector {
  #next = performance.now() + COLLECT_MS

  /** To be called now and then. */
  beat(): void {
    if (performance.now() < this.#next) return
    this.#next = performance.now() + COLLECT_MS
    globalThis.gc?.()
  }
}
