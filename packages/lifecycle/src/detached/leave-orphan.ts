import { spawn } from 'node:child_process'
import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { STATUS_FD } from './status.ts'

/** The first argument of a bundle's guardian file that is to do this, and not yet to become the guardian. */
export const LEAVE_ORPHAN = 'leave-orphan'

/**
 * What the short-lived process does that is between a client and the process that it leaves behind: starts Node with `args`, detached, and
 * ends. Because it ends at once the other's parent is init (or the nearest subreaper), so that ending the client's process tree does not
 * reach it; and it is the one place where descriptors that leaked into the client can be closed without knowing whose they are.
 *
 * `args`: what Node is told, the program, its setup as JSON. Caller: only in a process that `launchDetached` starts; descriptor 3 is
 * the status pipe, descriptor 2 server.log.
 */
export function leaveOrphan(args: readonly string[]): void {
  closeLeakedDescriptors()
  const child = spawn(process.execPath, args, {
    cwd: '/',
    detached: true,
    env: process.env,
    stdio: ['ignore', 2, 2, STATUS_FD],
  })
  child.on('error', (error) => {
    process.stderr.write(`procref: ${args.at(-2)} could not be started: ${error.message}\n`)
    process.exit(1)
  })
  child.on('spawn', () => process.exit(0))
}

/** `O_CLOEXEC` in the `flags:` line of /proc/self/fdinfo (octal), proc_pid_fdinfo(5). */
const CLOEXEC = 0o2000000

/**
 * Closes what a new program would inherit. Node marks inherited descriptors close-on-exec only up to the first number
 * that is not open, so one at 251 would otherwise live as long as what we start (a slot, a pipe that a CI step waits for).
 */
function closeLeakedDescriptors(): void {
  let open: string[]
  try {
    open = readdirSync('/proc/self/fd')
  } catch {
    return // No /proc: nothing to enumerate; macOS' Node marks its own, others cannot be known.
  }
  for (const name of open) {
    const fd = Number(name)
    if (fd <= STATUS_FD) continue
    try {
      const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'))?.[1]
      if (flags !== undefined && (Number.parseInt(flags, 8) & CLOEXEC) === 0) closeSync(fd)
    } catch {
      // The descriptor of the listing itself: it is gone by now.
    }
  }
}
