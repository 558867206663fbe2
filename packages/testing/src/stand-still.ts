import { startProgram } from '@procref/conformance/harness'

/**
 * Thaws when its standard input ends, so also when this program is killed; and it does not end before, whatever the terminal sends. A file system that stays
 * frozen would let nobody go who writes to it, not even by SIGKILL. Thawed through a descriptor: meanwhile it may have been unmounted, lazily.
 */
const FREEZER = `trap "" HUP INT TERM
exec 9<"$1"
fsfreeze --freeze "$1" && { date +%s%3N; read -r _; fsfreeze --unfreeze /proc/self/fd/9; }`

/**
 * Carries out `act` while the file system mounted on `path` stands still: all that had been written to it is on its device, and who writes waits. It is told
 * since when, as `Date.now()` says it.
 *
 * Guarantee: it is thawed when `act` has ended, however, and when this program is killed.
 */
export async function whileItStandsStill<T>(path: string, act: (since: number) => Promise<T>): Promise<T> {
  const freezer = startProgram('sh', { args: ['-c', FREEZER, 'sh', path] })
  let result: T
  try {
    result = await act(Number(await freezer.line()))
  } finally {
    freezer.end()
    await freezer.exited
  }
  const { code, signal } = await freezer.exited
  if (code !== 0) throw new Error(`${path} does not thaw: ${signal ?? `exit code ${code}`}\n${freezer.stderr()}`)
  return result
}
