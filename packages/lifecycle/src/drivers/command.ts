import { isAbsolute } from 'node:path'
import { descriptorModule } from '@procref/core'
import type { LaunchContext, ServerDriver } from '../driver.ts'
import { rebuildWait, type WaitDescriptor } from '../wait/wait.ts'
import { launchChild } from './child-server.ts'
import { ExecutableNotFoundError } from './errors.ts'
import { findExecutable } from './find-executable.ts'

export interface CommandOptions {
  /** An absolute path, or a name to be found in `PATH`. */
  readonly file: string
  /** `{port}`, `{host}`, `{dir}` and `{databaseDir}` are filled in. Never a secret: other users can read a command line. */
  readonly args?: readonly string[]
  /**
   * Added to a small environment; filled in as `args`, and also `{user}` and `{password}`, the directory's own credentials.
   * Never any other secret: these texts are written to `server.json`.
   */
  readonly env?: { readonly [name: string]: string }
  readonly ready: WaitDescriptor
  /** An absolute path. Default `/`. */
  readonly cwd?: string
  /** Whether its data survive its end. Default true. */
  readonly durable?: boolean
}

const SECRET = /\{(user|password)\}/

/**
 * Any server that takes its port on the command line or from its environment and ends on SIGTERM. All its clients have to
 * agree on `file` and `args`.
 *
 * Guarantee: it alone is started on the directory; it ends with the last client, workers in its process group included. Whether it
 * listens on its port itself, or a process of its session does, is its own business (`npx`, a shell script).
 * Caller: no daemon that makes a session of its own: nobody would listen on the port but a stranger.
 */
export function command(options: CommandOptions): ServerDriver {
  const { file, args = [], env = {}, ready, cwd, durable = true } = options
  const secret = args.find((arg) => SECRET.test(arg))
  if (secret !== undefined) {
    throw new TypeError(`args: every user can read ${secret} on a command line; pass credentials by \`env\``)
  }
  if (!isAbsolute(file) && file.includes('/')) {
    throw new TypeError(
      `file: ${file} depends on a working directory; give an absolute path, or a name to be found in PATH`,
    )
  }
  if (cwd !== undefined && !isAbsolute(cwd)) throw new TypeError(`cwd: ${cwd} is not an absolute path`)
  // Now, in the client: a mistake in it should not have to come back from a guardian.
  const readiness = rebuildWait(ready)
  const executable = (): string => {
    const found = findExecutable(file)
    if (found !== undefined) return found
    const looked = isAbsolute(file) ? file : `PATH (${process.env.PATH ?? ''})`
    throw new ExecutableNotFoundError(`program ${file}`, [looked], 'Install it, or give its absolute path.')
  }
  return {
    name: 'command',
    descriptor: {
      module: descriptorModule('@procref/lifecycle', import.meta.url, '../index.js'),
      factory: 'command',
      options: { file, args, env, ready, durable, ...(cwd !== undefined && { cwd }) },
    },
    settings: { file, args },
    placement: 'child',
    durable,
    check: async () => void executable(),
    launch: async (context) =>
      launchChild(context, {
        plan: {
          file: executable(),
          args: args.map((arg) => fill(arg, context)),
          env: mapValues(env, (value) => fill(value, context, { ...context.credentials })),
          ...(cwd !== undefined && { cwd }),
        },
        readiness: () => readiness,
        ...(readiness.tellsHealth && { health: readiness.look }),
      }),
  }
}

/** Leaves braces around other words alone: arguments may be JSON. */
function fill(text: string, context: LaunchContext, secrets: Readonly<Record<string, string>> = {}): string {
  const { host, port, dir, databaseDir } = context
  const values = new Map(Object.entries({ host, port: String(port), dir, databaseDir, ...secrets }))
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values.get(name) ?? whole)
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
}
