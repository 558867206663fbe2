import { errnoOf, ProcrefError, readProtocolPin, type SlotBackend } from '@procref/core'
import { UnknownBackendError } from './errors.ts'

interface KnownBackend {
  /** `backend.name` of what `load` makes. */
  readonly name: string
  readonly protocol: string
  load(): Promise<SlotBackend>
  /** Can it be the answer when nobody asked for one? Absent: only if it is the last that speaks the directory's protocol. */
  isUsable?(): Promise<boolean>
}

/** Every backend that the command and `connect()` know by name, the best first. */
const KNOWN: readonly KnownBackend[] = [
  {
    name: 'native',
    protocol: 'flock',
    load: async () => (await import('@procref/native')).native(),
    isUsable: async () => (await import('@procref/native')).isNativeCodeHere(),
  },
  { name: 'flock', protocol: 'flock', load: async () => (await import('@procref/flock')).flock() },
  { name: 'ofd-range', protocol: 'ofd-range', load: async () => (await import('@procref/native')).ofdRange() },
  { name: 'sysv', protocol: 'sysv', load: async () => (await import('@procref/native')).sysv() },
  { name: 'robust-mutex', protocol: 'robust-mutex', load: async () => (await import('@procref/native')).robustMutex() },
]
/** Of a directory that nobody has used yet. */
const DEFAULT_PROTOCOL = 'flock'

/**
 * The backend called `name`, else the one that `$PROCREF_BACKEND` names, else the best that speaks the protocol which the slots in
 * `slotsDir` are locked with and whose native part is here; the last resort is returned unasked, and says itself what it lacks.
 * Throws `UnknownBackendError` for a name that this version does not know.
 */
export async function resolveBackend(
  name: string | undefined,
  slotsDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<SlotBackend> {
  const asked = name ?? (env.PROCREF_BACKEND || undefined)
  if (asked === undefined) return await bestFor(protocolOf(slotsDir))
  const known = KNOWN.find((backend) => backend.name === asked)
  if (known !== undefined) return await known.load()
  throw new UnknownBackendError(
    asked,
    KNOWN.map((backend) => backend.name),
  )
}

/** The names of the backends that speak `protocol`, the best first; none: this version does not know it. */
export function speakersOf(protocol: string): readonly string[] {
  return KNOWN.filter((known) => known.protocol === protocol).map((known) => known.name)
}

async function bestFor(protocol: string): Promise<SlotBackend> {
  let last: KnownBackend | undefined
  for (const backend of KNOWN.filter((known) => known.protocol === protocol)) {
    if ((await backend.isUsable?.()) === true) return await backend.load()
    last = backend
  }
  // Nobody speaks a protocol that this version does not know: opening the directory says that, with its name.
  return last === undefined ? await bestFor(DEFAULT_PROTOCOL) : await last.load()
}

function protocolOf(slotsDir: string): string {
  try {
    return readProtocolPin(slotsDir)?.protocol ?? DEFAULT_PROTOCOL
  } catch (error) {
    // What is wrong with the directory is said by whoever opens it; commands that only look go on.
    if (error instanceof ProcrefError || errnoOf(error) !== undefined) return DEFAULT_PROTOCOL
    throw error
  }
}
