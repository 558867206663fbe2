import { spawn } from 'node:child_process'

/** Starts a program as any program would; it lives on when we die. */
export function startOrdinary(): number | undefined {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600_000)'], { stdio: 'ignore', detached: true })
  child.unref()
  return child.pid
}

/** Starts a program that inherits the descriptor, and then becomes another one (`exec`); it lives on when we die. */
export function startHeir(fd: number | undefined): number | undefined {
  if (fd === undefined) throw new Error('guarantees.inheritableByChild is true, but there is no `fd` to inherit')
  const child = spawn('sh', ['-c', 'exec sleep 600'], { stdio: ['ignore', 'ignore', 'ignore', fd], detached: true })
  child.unref()
  return child.pid
}
