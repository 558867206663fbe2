/**
 * The text in a slot file: who holds the slot, for people. No decision rests on it, the lock decides.
 *
 * `PID\n`, then JSON padded with spaces to 512 bytes in all, written over whatever was there. No truncate: it alone costs 80
 * times as much as the rest of a claim. The seed's program writes only `PID\n` over the beginning, so JSON that
 * names another pid, or cannot be parsed, is what an earlier holder left.
 */
export const RECORD_BYTES = 512

export interface SlotRecord {
  readonly pid: number
  readonly label?: string
  /** When the holder's process started, ISO 8601. */
  readonly startedAt?: string
  /** The holder's program, its `argv[0]` and script. */
  readonly program?: string
}

/** The 512 bytes for `record`. Texts that do not fit are cut, the program first. */
export function encodeRecord(record: SlotRecord): Uint8Array {
  const encoder = new TextEncoder()
  let { label, program } = record
  for (;;) {
    const bytes = encoder.encode(`${record.pid}\n${JSON.stringify({ ...record, label, program })}`)
    if (bytes.length <= RECORD_BYTES) {
      const padded = new Uint8Array(RECORD_BYTES).fill(0x20)
      padded.set(bytes)
      return padded
    }
    if (program !== undefined) program = shorter(program)
    else label = label === undefined ? undefined : shorter(label)
  }
}

/** What a slot file says; `undefined` when it does not start with a pid. */
export function parseRecord(bytes: Uint8Array): SlotRecord | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, RECORD_BYTES))
  const digits = /^([1-9]\d{0,9})\r?\n/.exec(text)?.[1]
  if (digits === undefined) return undefined
  const pid = Number(digits)
  const details = parseDetails(text.slice(text.indexOf('\n') + 1))
  if (details === undefined || details.pid !== pid) return { pid }
  return {
    pid,
    ...textField(details, 'label'),
    ...textField(details, 'startedAt'),
    ...textField(details, 'program'),
  }
}

function parseDetails(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function textField<K extends string>(
  details: Readonly<Record<string, unknown>>,
  key: K,
): { readonly [P in K]?: string } {
  const value = details[key]
  // What another program wrote may end up on a terminal: no control characters.
  return typeof value === 'string' ? ({ [key]: value.replace(/\p{Cc}/gu, ' ') } as { [P in K]?: string }) : {}
}

/** About a tenth shorter, not splitting a character; `undefined` once nothing is left. */
function shorter(text: string): string | undefined {
  const characters = [...text]
  const kept = characters.slice(0, Math.floor(characters.length * 0.9)).join('')
  return kept === '' ? undefined : kept
}
