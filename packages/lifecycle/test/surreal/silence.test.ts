import { EventEmitter } from 'node:events'
import { eventually, startChild } from '@procref/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { keepAsking } from '../../dist/surreal/silence.js'

const MS = 100
const STILL_MS = 3 * MS

/** An open connection to somebody who does not answer, as far as is looked at. */
function openSocket(): {
  readonly socket: WebSocket
  readonly stream: { bytesRead: number }
  asked(): number
} {
  let asked = 0
  const stream = { bytesRead: 0 }
  const socket = Object.assign(new EventEmitter(), {
    OPEN: WebSocket.OPEN,
    readyState: WebSocket.OPEN as number,
    bufferedAmount: 0,
    ping() {
      asked++
    },
  })
  onTestFinished(() => void socket.emit('close'))
  return { socket: socket as unknown as WebSocket, stream, asked: () => asked }
}

/** This program does nothing for so long. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

describe('a connection that is asked', () => {
  test('is silent after two questions without an answer', async () => {
    const { socket, stream, asked } = openSocket()
    const onSilence = vi.fn(() => asked())
    keepAsking(socket, MS, onSilence)
    socket.emit('upgrade', { socket: stream })
    await eventually('it is silent', () => onSilence.mock.calls.length > 0)
    // The third was asked before what had come meanwhile was read.
    expect(onSilence).toHaveNthReturnedWith(1, 3)
  })

  test('is not silent because this program stands still, wherever between question and answer it does', async () => {
    const server = startChild(new URL('../children/answers-pings.mjs', import.meta.url))
    onTestFinished(async () => {
      server.kill('SIGKILL')
      await server.exited
    })
    const { port } = await server.event<{ port: number }>('listening')
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    onTestFinished(() => socket.terminate())
    socket.on('error', () => {})
    let [asked, answers] = [0, 0]
    socket.on('pong', () => answers++)
    // The server may stand still as well, and is silent then: with two questions unanswered.
    const unanswered: number[] = []
    keepAsking(socket, MS, () => void unanswered.push(asked - answers))
    const ask = socket.ping.bind(socket)
    let stillAfter: number | undefined
    socket.ping = () => {
      asked++
      ask()
      // Mostly before the answer is read.
      if (stillAfter === 0) setImmediate(standStill, STILL_MS)
      else if (stillAfter !== undefined) setTimeout(() => standStill(STILL_MS), stillAfter)
      stillAfter = undefined
    }
    for (let after = 0; after < MS; after += MS / 10) {
      const before = answers
      stillAfter = after
      await eventually('it has answered again', () => answers > before + 1)
    }
    expect(unanswered.filter((questions) => questions < 2)).toEqual([])
  })

  test('is not silent while what we send is on its way', async () => {
    const { socket, stream, asked } = openSocket()
    const onSilence = vi.fn()
    Object.assign(socket, { bufferedAmount: 1 })
    keepAsking(socket, MS, onSilence)
    socket.emit('upgrade', { socket: stream })
    await eventually('it is asked often', () => asked() > 5)
    expect(onSilence).not.toHaveBeenCalled()
  })
})
