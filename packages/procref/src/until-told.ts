/** What a user or a supervisor sends to end a program in an orderly way. */
export const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Why a holding program ends; the reason of `signal`. */
export class ToldToEnd extends Error {
  constructor(how: string) {
    super(`told to end by ${how}`)
  }
}

export interface UntilTold extends Disposable {
  /** Aborted, with a `ToldToEnd`, when stdin ended or a signal came. */
  readonly signal: AbortSignal
  /** Resolves when `signal` fires; rejects with the reason of `lost` when that fires first. */
  orLost(lost: AbortSignal): Promise<void>
}

/**
 * Watches for the end of stdin and for a signal to end. Keeps the process alive until disposed, and the signals from ending
 * it.
 */
export function whenToldToEnd(): UntilTold {
  const controller = new AbortController()
  const { signal } = controller
  const onSignal = (name: NodeJS.Signals): void => controller.abort(new ToldToEnd(name))
  const onEnd = (): void => controller.abort(new ToldToEnd('the end of stdin'))
  for (const name of ENDING_SIGNALS) process.on(name, onSignal)
  // A stdin that cannot be read (a directory, a terminal of which this is a background job) will not say that it ended.
  const { stdin } = process
  stdin.on('end', onEnd).on('error', onEnd).resume()
  return {
    signal,
    orLost: (lost) => firstOf(signal, lost),
    [Symbol.dispose]() {
      for (const name of ENDING_SIGNALS) process.off(name, onSignal)
      stdin.off('end', onEnd).off('error', onEnd).destroy()
    },
  }
}

function firstOf(told: AbortSignal, lost: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      told.removeEventListener('abort', look)
      lost.removeEventListener('abort', look)
      if (told.aborted) resolve()
      else reject(lost.reason)
    }
    told.addEventListener('abort', look)
    lost.addEventListener('abort', look)
    if (told.aborted || lost.aborted) look()
  })
}
