import fc from 'fast-check'

type Path = readonly (string | number)[]

/** What a reader of JSON may not have thought of, in the place of something else. */
const VALUES: readonly unknown[] = [
  null,
  true,
  '',
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  1e308,
  [],
  {},
  [[]],
  '\u0000\u001b[31m',
]
const NAMES = ['__proto__', 'constructor', 'toString', 'protocol', '']

type Edit =
  | { readonly kind: 'replace'; readonly at: number; readonly value: unknown }
  | { readonly kind: 'remove'; readonly at: number }
  | { readonly kind: 'add'; readonly at: number; readonly name: string; readonly value: unknown }

/**
 * The text of `sample` with up to four values replaced, removed or added: what a reader that checks less than everything lets through.
 * `more`: values worth trying in this place.
 */
export function mutatedJson(sample: unknown, more: readonly unknown[] = []): fc.Arbitrary<Buffer> {
  const value = fc.oneof(fc.constantFrom(...VALUES, ...more), fc.jsonValue({ maxDepth: 2 }))
  const at = fc.nat({ max: 999 })
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    fc.record({ kind: fc.constant('replace' as const), at, value }),
    fc.record({ kind: fc.constant('remove' as const), at }),
    fc.record({ kind: fc.constant('add' as const), at, name: fc.constantFrom(...NAMES), value }),
  )
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
    const changed = edits.reduce((document, one) => edited(document, one), structuredClone(sample))
    return Buffer.from(`${JSON.stringify(changed) ?? ''}\n`)
  })
}

/** Values are copied: one that stands in two places could be put into itself. */
function edited(document: unknown, one: Edit): unknown {
  const paths = pathsOf(document, [])
  const path = paths[one.at % paths.length] ?? []
  const last = path.at(-1)
  if (last === undefined) return one.kind === 'replace' ? structuredClone(one.value) : document
  const parent = path.slice(0, -1).reduce((inner: unknown, key) => (inner as Record<string, unknown>)[key], document)
  const container = parent as Record<string | number, unknown>
  if (one.kind === 'replace') container[last] = structuredClone(one.value)
  else if (one.kind === 'remove') delete container[last]
  // Not assigned: `__proto__` would set the prototype, and not be written.
  else
    Object.defineProperty(container, one.name, {
      value: structuredClone(one.value),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  return document
}

function pathsOf(value: unknown, path: Path): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))]
}
