import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open as openFile, readFile } from 'node:fs/promises'
import { connect as dial, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectBare } from '../../service-client/bare-connection.ts'
import type { OpenClient } from '../../service-client/open-client.ts'
import { readServerFile } from '../server-file.ts'

const SUPERVISOR = fileURLToPath(new URL('../programs/supervisor.js', import.meta.url))
const LOOK_MS = 20
/** Reaching it means that the supervisor did not come up. */
const HANGS_MS = 60_000

/** The first one starts the supervisor, and everybody keeps a socket to it open for as long as the server is needed. */
export const open: OpenClient = (dir, settings) => ({
  async connect() {
    await startSupervisorOnce(dir, JSON.stringify(settings))
    const { port, pid: guardian } = await supervisorOf(dir)
    const socket = dial({ host: '127.0.0.1', port })
    try {
      await serverIsReady(socket)
      const { login, pid } = await readServerFile(dir)
      const db = await connectBare(login)
      return { db, server: pid, guardian, login, close: () => end(socket, () => db.close()) }
    } catch (error) {
      socket.destroy()
      throw error
    }
  },
})

/** Whoever creates the file starts it; should that process die in between, nobody does. */
async function startSupervisorOnce(dir: string, settings: string): Promise<void> {
  try {
    await (await openFile(join(dir, 'supervisor.elected'), 'wx', 0o600)).close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw error
  }
  const child = spawn(process.execPath, [SUPERVISOR, dir, settings], { detached: true, stdio: 'ignore' })
  await once(child, 'spawn')
  child.unref()
}

async function supervisorOf(dir: string): Promise<{ readonly port: number; readonly pid: number }> {
  for (const deadline = performance.now() + HANGS_MS; ; await after(LOOK_MS)) {
    try {
      return JSON.parse(await readFile(join(dir, 'supervisor.json'), 'utf8')) as { port: number; pid: number }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      if (performance.now() > deadline) throw new Error(`no supervisor came up in ${dir}`, { cause: error })
    }
  }
}

/** It says one byte once the server answers. */
async function serverIsReady(socket: Socket): Promise<void> {
  const ended = once(socket, 'end').then(() => {
    throw new Error('the supervisor ended')
  })
  ended.catch(() => undefined)
  await Promise.race([once(socket, 'data'), ended])
}

async function end(socket: Socket, close: () => Promise<unknown>): Promise<void> {
  await close()
  socket.destroy()
}
