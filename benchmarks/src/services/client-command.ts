import { fileURLToPath } from 'node:url'
import type { ServiceSettings } from '../service.ts'
import type { ActorCommand } from '../subject.ts'
import { MARKER } from './processes-of.ts'

const CLIENT = fileURLToPath(new URL('../service-client/main.js', import.meta.url))

/** A client whose module is in `clients/`. */
export function clientCommand(module: string, dir: string, settings: ServiceSettings): ActorCommand {
  const url = new URL(`clients/${module}.js`, import.meta.url).href
  return { file: process.execPath, args: [CLIENT, url, dir, JSON.stringify(settings)], env: { [MARKER]: dir } }
}
