import { Agent, get, type IncomingMessage } from 'node:http'
import { atEnd, within } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { startEmbedded } from './server.ts'

test('a connection that a client keeps for its next request is not given a time after which it is closed', async () => {
  const { port } = atEnd(await startEmbedded())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const ask = async (): Promise<IncomingMessage> => {
    const asked = new Promise<IncomingMessage>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/health', agent }, resolve).once('error', reject)
    })
    const response = await within('the answer', asked)
    response.resume()
    await within('its end', new Promise((resolve) => response.once('end', resolve)))
    return response
  }
  const first = await ask()
  const second = await ask()
  expect(second.socket).toBe(first.socket)
  // Without it, Node's server names the 5 s after which it closes, and a busy client meets that moment.
  expect(second.headers).not.toHaveProperty('keep-alive')
  expect(second.headers).not.toMatchObject({ connection: 'close' })
})
