import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Login } from '../service-client/open-client.ts'

/** Where a server without procref is, and how to sign in; only for who may read the folder. */
export interface ServerFile {
  readonly pid: number
  readonly login: Login
}

export async function writeServerFile(dir: string, server: ServerFile): Promise<void> {
  const path = join(dir, 'server.json')
  await writeFile(`${path}.new`, JSON.stringify(server), { mode: 0o600 })
  await rename(`${path}.new`, path)
}

export async function readServerFile(dir: string): Promise<ServerFile> {
  return JSON.parse(await readFile(join(dir, 'server.json'), 'utf8')) as ServerFile
}
