import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { harmless } from './cli/table.ts'

const LOOK_AGAIN_MS = 200
/** As much of the end is looked at for the last lines; the log is capped not far above. */
const TAIL_BYTES = 65_536

/** How far a log has been read. */
interface Position {
  readonly fd: number
  offset: number
  decoder: StringDecoder
  /** The beginning of a line whose end was not written yet. */
  part: string
}

/**
 * Tells the last `last` lines of the file at `path`, then every line that is added, for ever. Waits for a file that is not there
 * yet, begins anew when it is cut (the guardian does that in place) or replaced.
 *
 * Unspecified: lines that are written and cut away between two looks. Caller: ends the process.
 */
export async function followLog(path: string, last: number, tell: (line: string) => void): Promise<never> {
  let at = open(path)
  if (at !== undefined) {
    at.offset = Math.max(0, fstatSync(at.fd).size - TAIL_BYTES)
    const cut = at.offset > 0
    const lines = readLines(at)
    for (const line of (cut ? lines.slice(1) : lines).slice(-last)) tell(line)
  }
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    if (at !== undefined) {
      for (const line of readLines(at)) tell(line)
      if (isAt(path, at.fd)) continue
      closeSync(at.fd)
    }
    at = open(path)
  }
}

function open(path: string): Position | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    return { fd, offset: 0, decoder: new StringDecoder('utf8'), part: '' }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The whole lines that were added since the last call. */
function readLines(at: Position): readonly string[] {
  if (fstatSync(at.fd).size < at.offset) {
    at.offset = 0
    at.decoder = new StringDecoder('utf8')
    at.part = ''
  }
  const buffer = Buffer.alloc(TAIL_BYTES)
  for (;;) {
    const bytes = readSync(at.fd, buffer, 0, buffer.length, at.offset)
    if (bytes === 0) break
    at.offset += bytes
    at.part += at.decoder.write(buffer.subarray(0, bytes))
  }
  const lines = at.part.split(/\r?\n/)
  at.part = lines.pop() ?? ''
  return lines.map(harmless)
}

function isAt(path: string, fd: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  const open = fstatSync(fd)
  return found !== undefined && found.ino === open.ino && found.dev === open.dev
}
