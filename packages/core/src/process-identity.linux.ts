import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { ProcessIdentityUnavailableError } from './identity-unavailable.ts'
import { ifVisible, isGone, isRefused } from './proc.linux.ts'
import type { IdentityReader } from './process-identity.ts'
import type { ProcessIdentity } from './process-table.ts'

export const linux: IdentityReader = { bootId, identifySelf, identify, startTicksOf, isHidden, stateOf }

/** Neither changes while the process lives. */
let cachedBootId: string | undefined
let cachedSelf: ProcessIdentity | undefined

function bootId(): string {
  cachedBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return cachedBootId
}

function identifySelf(): ProcessIdentity {
  cachedSelf ??= readSelf()
  return cachedSelf
}

function identify(pid: number): ProcessIdentity | undefined {
  identifySelf()
  const startTicks = startTicksOf(pid)
  if (startTicks === undefined) return undefined
  const pidNamespace = namespaceOf(pid, 'pid')
  const netNamespace = namespaceOf(pid, 'net')
  if (pidNamespace === undefined || netNamespace === undefined) return undefined
  return { pid, startTicks, bootId: bootId(), pidNamespace, netNamespace }
}

/**
 * Empty when it must not be seen: the process belongs to another user. `undefined` when no thread has one any more: a process that ends gives up its
 * files, then its namespaces but that of its pid, and is a zombie only some time after (do_exit() in kernel/exit.c).
 *   WRONG: taking that for "not to be seen": then nobody looks who listens on the port of a server that is just dying.
 */
function namespaceOf(pid: number, name: 'pid' | 'net'): string | undefined {
  try {
    // The first thread, mostly; it may have ended before the others.
    return namespaceOfThread(`/proc/${pid}`, name) ?? firstOf(pid, (thread) => namespaceOfThread(thread, name))
  } catch (error) {
    if (isRefused(error)) return ''
    throw error
  }
}

function namespaceOfThread(proc: string, name: string): string | undefined {
  try {
    return readlinkSync(`${proc}/ns/${name}`)
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

function firstOf(pid: number, look: (thread: string) => string | undefined): string | undefined {
  const dir = `/proc/${pid}/task`
  for (const tid of ifVisible(() => readdirSync(dir)) ?? []) {
    const found = look(`${dir}/${tid}`)
    if (found !== undefined) return found
  }
  return undefined
}

function startTicksOf(pid: number): string | undefined {
  return parseStat(ifVisible(() => readFileSync(`/proc/${pid}/stat`, 'utf8')))
}

function isHidden(pid: number): boolean {
  try {
    readFileSync(`/proc/${pid}/stat`)
    return false
  } catch (error) {
    if (isRefused(error)) return true
    if (!isGone(error)) throw error
  }
  try {
    // Signal 0 is sent to nobody: it only asks whether there is such a process, and /proc has none to show.
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !isGone(error)
  }
}

function stateOf(pid: number): string | undefined {
  const status = ifVisible(() => readFileSync(`/proc/${pid}/status`, 'utf8'))
  return status === undefined ? undefined : /^State:\s+(.+)$/m.exec(status)?.[1]
}

/**
 * Field 22 of `/proc/PID/stat`; `undefined` for a zombie (Z) and a process that is just disappearing (X). A Z with more than
 * one thread (field 20) is none yet: only its first thread has ended, and the others have its files, locks and ports. The
 * name, field 2, can contain spaces and parentheses, so the fields are counted from the last one.
 */
function parseStat(stat: string | undefined): string | undefined {
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  const ended = state === 'X' || state === 'x' || (state === 'Z' && Number(fields[17]) <= 1)
  return ended ? undefined : fields[19]
}

function readSelf(): ProcessIdentity {
  const visible = readlinkOfSelf()
  if (visible !== String(process.pid)) {
    throw new ProcessIdentityUnavailableError(
      `/proc belongs to another pid namespace (this process is ${process.pid}, and ${visible} there)`,
    )
  }
  const startTicks = startTicksOf(process.pid)
  if (startTicks === undefined) throw new ProcessIdentityUnavailableError('/proc/self/stat cannot be read')
  return {
    pid: process.pid,
    startTicks,
    bootId: bootId(),
    pidNamespace: readlinkSync('/proc/self/ns/pid'),
    netNamespace: readlinkSync('/proc/self/ns/net'),
  }
}

function readlinkOfSelf(): string {
  try {
    return readlinkSync('/proc/self')
  } catch (error) {
    throw new ProcessIdentityUnavailableError('there is no /proc', { cause: error })
  }
}
