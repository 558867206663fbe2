import { execFileSync } from 'node:child_process'
import { eventually } from '@procref/conformance/harness'

/** Unmounts what is mounted on `path`, once no process that is just ending has a file of it open any more. */
export async function unmount(path: string): Promise<void> {
  await eventually(`${path} is unmounted`, () => tryUnmount(path))
}

/** False while somebody has a file of it open. */
function tryUnmount(path: string): boolean {
  try {
    execFileSync('umount', [path], { stdio: ['ignore', 'ignore', 'pipe'] })
    return true
  } catch (error) {
    if (String((error as { stderr?: unknown }).stderr).includes('busy')) return false
    throw error
  }
}
