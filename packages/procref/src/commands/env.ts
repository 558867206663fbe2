import { DEFAULT_DATABASE, DEFAULT_NAMESPACE, readCredentials } from '@procref/lifecycle'
import { resolvePlace } from '../place.ts'
import { urlOf } from '../server-url.ts'
import type { LookOptions } from './status.ts'
import { findServer } from './url.ts'

export interface EnvOptions extends LookOptions {
  readonly secrets?: boolean
}

/** What `procref run` gives its program; the password only when asked for. */
export interface Environment {
  readonly SURREAL_URL: string
  readonly SURREAL_USER: string
  readonly SURREAL_PASS?: string
  readonly SURREAL_NAMESPACE: string
  readonly SURREAL_DATABASE: string
}

/** Throws `NotRunningError`. */
export async function readEnvironment(options: EnvOptions): Promise<Environment> {
  const server = await findServer(options)
  const { user, password } = readCredentials(resolvePlace(options.dir))
  return {
    SURREAL_URL: urlOf(server),
    SURREAL_USER: user,
    ...(options.secrets === true && { SURREAL_PASS: password }),
    SURREAL_NAMESPACE: DEFAULT_NAMESPACE,
    SURREAL_DATABASE: DEFAULT_DATABASE,
  }
}

/** Lines for `eval` in any POSIX shell. */
export function viewEnvironment(environment: Environment): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quote(String(value))}`)
    .join('\n')
}

/** Within single quotes a shell takes everything literally but the quote itself. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
