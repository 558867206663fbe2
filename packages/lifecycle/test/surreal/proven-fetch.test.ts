import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { eventually } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { provenFetch } from '../../dist/surreal/proven-fetch.js'

const TOKEN = 'a-token-that-nobody-else-may-see'
const ASKED = { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body: 'all of it' }

test.each([1, 2])('a stranger gets not a byte of token and body (proof %s of two fails)', async (failing) => {
  let heard = ''
  let [accepted, open] = [0, 0]
  const stranger = createServer((socket) => {
    accepted++
    open++
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => open--)
  })
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void stranger.close())
  const { port } = stranger.address() as AddressInfo
  const reason = new Error('a stranger')
  let proofs = 0
  const fetching = provenFetch(() => {
    if (++proofs === failing) throw reason
  })
  await expect(fetching(new URL(`http://127.0.0.1:${port}/export`), ASKED)).rejects.toBe(reason)
  expect(proofs).toBe(failing)
  // One that had been accepted is seen to end, with nothing in it.
  await eventually('the stranger has seen the end', () => accepted >= failing - 1 && open === 0)
  expect(heard).toBe('')
})

const CALLS: readonly (readonly [string, string, () => RequestInit & { readonly duplex?: 'half' }])[] = [
  ['a text', '/200', () => ASKED],
  ['a stream', '/200', () => ({ ...ASKED, body: new Blob(['in ', 'parts']).stream(), duplex: 'half' })],
  ['nothing, and an error is answered', '/404', () => ({})],
  ['a text, and nothing is answered', '/204', () => ASKED],
]

test.each(CALLS)('it asks and answers as fetch() does: %s', async (_what, path, init) => {
  const server = createHttpServer(async (request, response) => {
    let body = ''
    for await (const bytes of request) body += String(bytes)
    const status = Number(request.url?.slice(1))
    const cookies = ['set-cookie', 'a=1', 'set-cookie', 'b=2']
    response.writeHead(status, 'As asked', ['x-token', request.headers.authorization ?? 'none', ...cookies])
    response.end(status === 204 ? undefined : `${request.method} ${body}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const told = async (answer: Response): Promise<unknown> => ({
    status: [answer.status, answer.statusText],
    headers: [answer.headers.get('x-token'), answer.headers.getSetCookie()],
    body: await answer.text(),
  })
  expect(await told(await provenFetch(() => {})(url, init()))).toEqual(await told(await fetch(url, init())))
})
