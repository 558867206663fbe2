// Plays the person who has started a server by hand: `keep-server.js DIR STORAGE`, until its input ends.
import { createInterface } from 'node:readline'
import type { ServiceSettings } from '../../service.ts'
import { writeServerFile } from '../server-file.ts'
import { startSurreal } from '../surreal-process.ts'

const [, , dir = '', storage] = process.argv
const server = await startSurreal(dir, storage as ServiceSettings['storage'])
await writeServerFile(dir, { pid: server.pid, login: server.login })
process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
for await (const _line of createInterface({ input: process.stdin }));
await server.stop()
