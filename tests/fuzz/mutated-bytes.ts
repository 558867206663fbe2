import fc from 'fast-check'

type Edit =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set'; readonly at: number; readonly byte: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | {
      readonly kind: 'splice'
      readonly at: number
      readonly other: number
      readonly from: number
      readonly length: number
    }
  | { readonly kind: 'number'; readonly at: number; readonly bytes: number; readonly value: bigint }

/** Where readers of lengths and counts go wrong. */
const NUMBERS = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn]
const LARGE = [0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn]
/** Text: ends, quotes, brackets, digits, what begins a character of several bytes. CBOR: heads without an end, breaks, tags. */
const BYTES = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2e, 0x2f, 0x30, 0x39, 0x3a, 0x5b, 0x5c, 0x7b, 0x7d, 0x7f]
const MORE_BYTES = [0x80, 0x5f, 0x9f, 0xbf, 0xc0, 0xd8, 0xdb, 0xe2, 0xf0, 0xf7, 0xf9, 0xfb, 0xff]

const place = fc.nat({ max: 4_095 })
const byte = fc.oneof(fc.constantFrom(...BYTES, ...MORE_BYTES), fc.nat({ max: 255 }))

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('set' as const), at: place, byte }),
  fc.record({ kind: fc.constant('insert' as const), at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: place,
    length: fc.integer({ min: 1, max: 32 }),
    times: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(100, 5_000)),
  }),
  fc.record({
    kind: fc.constant('splice' as const),
    at: place,
    other: fc.nat({ max: 255 }),
    from: place,
    length: fc.integer({ min: 1, max: 256 }),
  }),
  fc.record({
    kind: fc.constant('number' as const),
    at: place,
    bytes: fc.constantFrom(1, 2, 4, 8),
    value: fc.constantFrom(...NUMBERS, ...LARGE),
  }),
)

/** One of `samples` with up to eight changes; some are left as they are. Shrinks to fewer changes. */
export function mutatedBytes(samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  return fc
    .record({ sample: fc.nat({ max: samples.length - 1 }), edits: fc.array(edit, { maxLength: 8 }) })
    .map(({ sample, edits }) => {
      const start: Buffer = Buffer.from(samples[sample] ?? [])
      return edits.reduce<Buffer>((bytes, one) => edited(bytes, one, samples), start)
    })
}

function edited(bytes: Buffer, one: Edit, samples: readonly Uint8Array[]): Buffer {
  const at = one.at % (bytes.length + 1)
  switch (one.kind) {
    case 'flip':
    case 'set': {
      const changed = Buffer.from(bytes)
      if (at < changed.length) changed[at] = one.kind === 'set' ? one.byte : (changed[at] ?? 0) ^ (1 << one.bit)
      return changed
    }
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), one.bytes, bytes.subarray(at)])
    case 'cut':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + one.length)])
    case 'repeat': {
      const again = Array.from({ length: one.times }, () => bytes.subarray(at, at + one.length))
      return Buffer.concat([bytes.subarray(0, at), ...again, bytes.subarray(at)])
    }
    case 'splice': {
      const other = samples[one.other % samples.length] ?? bytes
      const from = one.from % (other.length + 1)
      return Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + one.length), bytes.subarray(at)])
    }
    case 'number': {
      const written = Buffer.alloc(8)
      written.writeBigUInt64BE(one.value)
      const end = written.subarray(8 - one.bytes)
      return Buffer.concat([bytes.subarray(0, at), end, bytes.subarray(at + one.bytes)])
    }
  }
}
