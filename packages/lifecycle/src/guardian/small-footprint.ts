import { installedModule } from '@procref/core'

/**
 * What Node is told when the guardian does nothing but wait. Young objects get two times a mebibyte (`--max-semi-space-size`,
 * the least there is), or they would take up to 16 before anybody looked whether they are garbage; and nothing is
 * optimized, but in a bundle, which has no such file of its own.
 */
export function smallFootprint(): readonly string[] {
  const withoutOptimizer = installedModule('@procref/lifecycle', import.meta.url, './without-optimizer.js')
  return ['--max-semi-space-size=1', ...(withoutOptimizer === undefined ? [] : ['--import', withoutOptimizer])]
}
