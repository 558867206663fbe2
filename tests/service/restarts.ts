import { resolve } from 'node:path'
import { atEnd, type Child, startProgram } from '@procref/testing'

export const PROCREF: string = resolve(import.meta.dirname, '../../packages/procref/bin/procref.js')

/** `procref restart --json`, or another command, of the installation with this program. Ended with the test. */
export function procrefOf(
  program: string,
  env: Readonly<Record<string, string>> = {},
): (dir: string, ...args: readonly string[]) => Child {
  return (dir, ...args) => {
    const [name = 'restart', ...options] = args
    return atEnd(startProgram(process.execPath, { args: [program, name, '--dir', dir, '--json', ...options], env }))
  }
}

export const procref = procrefOf(PROCREF)

export interface Restarted {
  readonly state: string
  readonly users: number
  readonly restarted: boolean
  readonly server: {
    readonly epoch: number
    readonly port: number
    readonly guardianPid: number
    readonly procref: string
  } | null
  readonly previous: { readonly epoch: number; readonly guardianPid: number; readonly procref: string } | null
}

/** What a command that is to succeed prints. */
export async function done<T = Restarted>(command: Child): Promise<T> {
  const { code } = await command.exited
  if (code !== 0) throw new Error(`exit code ${code}: ${command.stderr()}${command.stdout()}`)
  return JSON.parse(command.stdout()) as T
}

/** What a command that is to fail prints. */
export async function refused(command: Child): Promise<{ readonly code: string; readonly message: string }> {
  const { code } = await command.exited
  if (code !== 1) throw new Error(`exit code ${code}: ${command.stderr()}${command.stdout()}`)
  return (JSON.parse(command.stdout()) as { error: { code: string; message: string } }).error
}
