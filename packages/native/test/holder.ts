import { atEnd, type Child, startChild } from '@procref/testing'

const HOLDER = new URL('./children/holder.mjs', import.meta.url)

/** Another process with a pool open on `dir`. */
export async function startHolder(
  factory: 'sysv' | 'robustMutex',
  dir: string,
  options: { readonly label?: string; readonly slots?: number } = {},
): Promise<Child> {
  const child = atEnd(startChild(HOLDER, { args: [JSON.stringify({ ...options, factory, dir })] }))
  await child.event('ready')
  return child
}

/** The slot it claims; `null`: all are in use. */
export async function claimIn(child: Child): Promise<unknown> {
  child.send('tryClaim')
  return (await child.event('tryClaim')).slot
}
