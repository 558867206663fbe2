/**
 * What Node is told when the guardian does nothing but wait. Young objects get two times a mebibyte (`--max-semi-space-size`,
 * the least there is), or they would take up to 16 before anybody looked whether they are garbage; and nothing is optimized.
 */
export function smallFootprint(): readonly string[] {
  return ['--max-semi-space-size=1', '--import', new URL('./without-optimizer.js', import.meta.url).href]
}
