import { clearLine, cursorTo } from 'node:readline'
import { colorsFor } from './output.ts'

/** A wait shorter than this is not worth a word. */
const PATIENCE_MS = 1_000

/** One changing line on a terminal that says what is being waited for. */
export interface ProgressLine extends Disposable {
  update(message: string): void
}

/** Shows what `work` waits for, if it takes long and somebody watches; see `createProgressLine`. */
export async function whileWaiting<T>(
  work: (onProgress: (progress: { readonly message: string }) => void) => Promise<T>,
): Promise<T> {
  using line = createProgressLine()
  return await work(({ message }) => line.update(message))
}

/**
 * Shows the last message on stderr once the wait has lasted a second, and takes the line away when disposed. Shows nothing
 * where stderr is no terminal: a log has no use for it.
 */
export function createProgressLine(): ProgressLine {
  if (!process.stderr.isTTY) return { update() {}, [Symbol.dispose]() {} }
  const colors = colorsFor(2)
  let message = ''
  let shown = false
  const show = (): void => {
    if (message === '') return
    shown = true
    cursorTo(process.stderr, 0)
    process.stderr.write(colors.dim(message.slice(0, process.stderr.columns - 1)))
    clearLine(process.stderr, 1)
  }
  const timer = setTimeout(show, PATIENCE_MS)
  timer.unref()
  return {
    update(next) {
      message = next
      if (shown) show()
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      if (!shown) return
      cursorTo(process.stderr, 0)
      clearLine(process.stderr, 0)
    },
  }
}
