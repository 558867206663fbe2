import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { flock } from '@procref/flock'
import { atEnd, eventually, freshDir, isRoot, mountTmpfs } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { awaitServing, type WaitContext } from '../../dist/client/await-serving.js'
import { command, sharedService } from '../../dist/index.js'
import { layout } from '../../dist/state/layout.js'
import { ServerRecordFile } from '../../dist/state/server-record.js'
import { NONCE, sampleRecord } from '../state/sample-record.ts'

const MB = 1 << 20

describe.runIf(isRoot())('a client that waits for a server to start', () => {
  test('is told that its disk is full, when that is what the guardian waits for', async () => {
    const disk = atEnd(mountTmpfs({ bytes: 16 * MB }))
    const paths = layout(disk.path)
    mkdirSync(paths.database, { recursive: true })
    new ServerRecordFile(paths.serverJson, NONCE).write(sampleRecord({ state: 'starting' }))
    const backend = flock()
    const alive = backend.locks.tryLock(paths.aliveLock(NONCE)) ?? expect.unreachable()
    const said: string[] = []
    const wait = async (timeoutMs: number, signal = new AbortController().signal): Promise<unknown> =>
      await awaitServing({
        paths,
        backend,
        timeoutMs,
        deadline: performance.now() + timeoutMs,
        signal,
        keepAlive: 'keep-alive',
        progress: (_step, message) => said.push(message),
        // What else there is of it concerns a guardian that is launched.
      } as Partial<WaitContext> as WaitContext)
    try {
      // It looks once at least, however little time it has.
      await expect(wait(1)).rejects.toThrow(/to start the server \(epoch 3, port 40000\)\. `procref why`/)
      writeFileSync(`${disk.path}/ballast`, Buffer.alloc(12 * MB))
      const full =
        /to start the server \(epoch 3, port 40000\)\. The disk of .*\/db is full \(ENOSPC\): [34]\.\d MB are free/
      await expect(wait(1)).rejects.toThrow(full)
      // Told while it waits, for which it has all the time that it needs.
      said.length = 0
      const enough = new AbortController()
      const waiting = wait(600_000, enough.signal)
      waiting.catch(() => {})
      await eventually('it says so', () => said.some((message) => full.test(message)))
      enough.abort(new Error('enough'))
      await expect(waiting).rejects.toThrow('enough')
    } finally {
      alive.release()
    }
  })
})

// the first guardian ends at once │ the second one says nothing until the time is over
test('a client that no guardian could be launched for is told how the last attempt ended', async () => {
  const folder = freshDir()
  const mark = `${folder}/tried`
  const script = `mkdir ${mark} 2>/dev/null && exit 1; echo $$ > ${mark}/pid; exec sleep 600`
  const waiting = sharedService({
    dir: `${folder}/service`,
    backend: flock(),
    driver: command({ file: process.execPath, ready: { kind: 'tcp' } }),
    guardianCommand: ['/bin/sh', '-c', script],
    timeoutMs: 10_000,
  })
  try {
    await expect(waiting).rejects.toMatchObject({
      code: 'PROCREF_CONNECT_TIMEOUT',
      message: expect.stringContaining('a guardian to start (the last attempt: ended before it was ready)'),
      cause: { code: 'PROCREF_GUARDIAN_LAUNCH' },
    })
  } finally {
    process.kill(Number(readFileSync(`${mark}/pid`, 'utf8')))
  }
})
