import { atEnd, type Child, startChild } from '@procref/testing'

const HOLDER = new URL('./children/holder.mjs', import.meta.url)

export interface HolderOptions {
  readonly slots?: number
  readonly label?: string
  readonly scanMs?: number
  /** What `arm` arms. */
  readonly step?: string
  readonly stops?: boolean
  /** What `busy` waits for. */
  readonly until?: string
}

/** Another process with a pool open on `dir`. */
export async function startHolder(dir: string, options: HolderOptions = {}): Promise<Child> {
  const child = atEnd(startChild(HOLDER, { args: [JSON.stringify({ ...options, dir })] }))
  await child.event('ready')
  return child
}

/** The slot it claims; `null`: all are in use. */
export async function claimIn(child: Child): Promise<unknown> {
  child.send('tryClaim')
  return (await child.event('tryClaim')).slot
}

export async function tell(child: Child, word: 'arm' | 'release' | 'close' | 'busy'): Promise<void> {
  child.send(word)
  await child.event(word === 'arm' ? 'armed' : word)
}
