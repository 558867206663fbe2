import type { Json } from '@procref/core'
import type { LaunchContext, ServerDriver } from '../driver.ts'
import { rebuildWait, type WaitDescriptor, waitUntilReady } from '../wait/wait.ts'
import { launchChild } from './child-server.ts'
import { ExecutableNotFoundError } from './errors.ts'
import { findExecutable } from './find-executable.ts'

export interface CommandOptions {
  /** Absolute, or looked up in `PATH`. */
  readonly file: string
  /** `{port}`, `{host}`, `{dir}` and `{databaseDir}` are filled in. Never a secret: other users can read them. */
  readonly args?: readonly string[]
  /** Filled in as `args`, and also `{user}` and `{password}`. */
  readonly env?: { readonly [name: string]: string }
  readonly ready: WaitDescriptor
  /** Whether its data survive its end. Default true. */
  readonly durable?: boolean
}

/** Any server that takes its port on the command line or from its environment, and ends on SIGTERM. */
export function command(options: CommandOptions): ServerDriver {
  for (const arg of options.args ?? []) {
    if (/\{(user|password)\}/.test(arg)) {
      throw new TypeError(`${arg}: credentials on a command line can be read by every user; pass them by \`env\``)
    }
  }
  const executable = (): string => {
    const file = findExecutable(options.file)
    if (file !== undefined) return file
    throw new ExecutableNotFoundError(`program ${options.file}`, ['PATH'], 'Install it, or give its absolute path.')
  }
  return {
    name: 'command',
    descriptor: {
      module: new URL('../index.js', import.meta.url).href,
      factory: 'command',
      options: options as unknown as Json,
    },
    settings: { file: options.file, args: [...(options.args ?? [])] },
    placement: 'child',
    durable: options.durable ?? true,
    check: async () => void executable(),
    launch: async (context) =>
      launchChild(
        context,
        {
          file: executable(),
          args: (options.args ?? []).map((arg) => fill(arg, context, {})),
          env: Object.fromEntries(
            Object.entries(options.env ?? {}).map(([name, value]) => [
              name,
              fill(value, context, { ...context.credentials }),
            ]),
          ),
        },
        async ({ ended }, signal) => {
          await waitUntilReady(rebuildWait(options.ready), { ...context, ended, signal })
          return {}
        },
      ),
  }
}

function fill(text: string, context: LaunchContext, secrets: Readonly<Record<string, string>>): string {
  const { host, port, dir, databaseDir } = context
  const values: Readonly<Record<string, string>> = { host, port: String(port), dir, databaseDir, ...secrets }
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}
