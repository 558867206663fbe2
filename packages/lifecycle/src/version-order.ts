/**
 * `3.0.0` is newer than `3.0.0-beta.2`, which is newer than `2.6.5`. Versions that are not numbers with dots have no order: none of
 * them is newer than another.
 */
export function isNewer(a: string, b: string): boolean {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  if (left === undefined || right === undefined) return false
  return compareParts(left, right) > 0
}

/**
 * Is `to` newer than `from` by more than its last number, or than a pre-release? `3.2.9` → `3.3.0` and `4.0.0-beta.1` → `4.0.0` are such steps,
 * `3.3.4` → `3.3.5` is none. Versions without an order make none.
 */
export function crossesMinor(from: string, to: string): boolean {
  if (!isNewer(to, from)) return false
  const [left, right] = [parseVersion(from), parseVersion(to)]
  if (left === undefined || right === undefined) return false
  const differs = (place: number): boolean => (left.numbers[place] ?? 0) !== (right.numbers[place] ?? 0)
  return left.pre !== undefined || differs(0) || differs(1)
}

/** The numbers, then the parts of the pre-release, `undefined` for a release, which comes after all of its pre-releases. */
interface Version {
  readonly numbers: readonly number[]
  readonly pre: readonly string[] | undefined
}

function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(text)
  if (match?.[1] === undefined) return undefined
  return { numbers: match[1].split('.').map(Number), pre: match[2]?.split('.') }
}

function compareParts(a: Version, b: Version): number {
  for (let i = 0; i < Math.max(a.numbers.length, b.numbers.length); i++) {
    const difference = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0)
    if (difference !== 0) return difference
  }
  if (a.pre === undefined || b.pre === undefined) return Number(a.pre === undefined) - Number(b.pre === undefined)
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const difference = comparePreRelease(a.pre[i], b.pre[i])
    if (difference !== 0) return difference
  }
  return 0
}

/** As semver has it: fewer parts come first, numbers before words. */
function comparePreRelease(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumberA && isNumberB) return Number(a) - Number(b)
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1
  return a < b ? -1 : Number(a > b)
}

/** `undefined` for a version that has no order. */
export function majorOf(version: string): number | undefined {
  return parseVersion(version)?.numbers[0]
}
