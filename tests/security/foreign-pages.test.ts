import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromiumPath } from '@procref/testing'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD, startEmbedded, type TestServer, USER } from '../../packages/embedded/test/server.ts'

const executablePath = chromiumPath()

/** A site on the internet; the browser is told that its name leads to this machine, as a name that is rebound does. */
const SITE = 'site.example'

/** What a page can try, with the right password although it has none: what it gets to read. */
const TRIES = `async ({ url, user, password }) => {
  const tried = async (act) => {
    try {
      return await act()
    } catch (error) {
      return String(error)
    }
  }
  const authorization = 'Basic ' + btoa(user + ':' + password)
  const headers = { authorization, 'surreal-ns': 'main', 'surreal-db': 'main', accept: 'application/json' }
  return {
    query: await tried(async () => {
      const answer = await fetch('http://' + url + '/sql', { method: 'POST', headers, body: 'CREATE page' })
      return answer.status + ' ' + (await answer.text())
    }),
    // No question is asked before such a request is sent; its answer cannot be read.
    form: await tried(async () => {
      const answer = await fetch('http://' + url + '/sql', { method: 'POST', mode: 'no-cors', body: 'CREATE page' })
      return answer.type
    }),
    socket: await new Promise((resolve) => {
      const socket = new WebSocket('ws://' + url + '/rpc', 'json')
      socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'signin', params: [{ user, pass: password }] }))
      socket.onmessage = ({ data }) => resolve('answered ' + data.slice(0, 20))
      socket.onerror = () => resolve('refused')
    }),
  }
}`

interface Tried {
  readonly query: string
  readonly form: string
  readonly socket: string
}

describe.skipIf(executablePath === undefined)('pages in Chromium, and the embedded server', () => {
  let browser: Browser
  let site: Server
  let server: TestServer

  beforeAll(async () => {
    server = await startEmbedded()
    site = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<p>a page</p>'))
    await new Promise<void>((resolve) => site.listen({ host: '127.0.0.1', port: 0 }, resolve))
    browser = await chromium.launch({
      executablePath: executablePath ?? '',
      // As root, which tests in a container often are, there is no sandbox to be had; the pages are our own.
      chromiumSandbox: process.getuid?.() !== 0,
      args: [`--host-resolver-rules=MAP ${SITE} 127.0.0.1`],
    })
  })
  afterAll(async () => {
    await browser?.close()
    site?.close()
    await server?.[Symbol.asyncDispose]()
  })

  const pageAt = async (url: string): Promise<{ readonly page: Page } & AsyncDisposable> => {
    const page = await browser.newPage()
    await page.goto(url)
    return { page, [Symbol.asyncDispose]: () => page.close() }
  }
  const sitePort = (): number => (site.address() as AddressInfo).port
  const tryFrom = async (origin: string, url: string): Promise<Tried> => {
    await using shown = await pageAt(origin)
    const asked = JSON.stringify({ url, user: USER, password: PASSWORD })
    return await shown.page.evaluate<Tried>(`(${TRIES})(${asked})`)
  }
  const rows = async (): Promise<string> => {
    const authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`
    const headers = { authorization, 'surreal-ns': 'main', 'surreal-db': 'main', accept: 'application/json' }
    const body = 'DEFINE TABLE IF NOT EXISTS page; RETURN count(SELECT * FROM page)'
    const answer = await fetch(`http://127.0.0.1:${server.port}/sql`, { method: 'POST', headers, body })
    return JSON.stringify(((await answer.json()) as { result: unknown }[])[1]?.result)
  }

  test('a page of another site reads nothing and writes nothing, even with the right password', async () => {
    const before = await rows()
    const tried = await tryFrom(`http://${SITE}:${sitePort()}/`, `127.0.0.1:${server.port}`)
    expect(tried).toEqual({ query: expect.stringMatching(/Failed to fetch/), form: 'opaque', socket: 'refused' })
    expect(await rows()).toBe(before)
  })

  test('a page whose name was rebound to this machine is refused: it is the same origin to the browser', async () => {
    const before = await rows()
    const place = `${SITE}:${server.port}`
    const tried = await tryFrom(`http://${place}/health`, place)
    expect(tried).toEqual({ query: expect.stringMatching(/^403 /), form: 'basic', socket: 'refused' })
    expect(await rows()).toBe(before)
  })

  test('a page that this machine serves itself is let in, with the password', async () => {
    const tried = await tryFrom(`http://localhost:${sitePort()}/`, `127.0.0.1:${server.port}`)
    expect(tried).toEqual({
      query: expect.stringMatching(/^200 /),
      form: 'opaque',
      socket: expect.stringMatching(/^answered /),
    })
    expect(await rows()).toBe('1')
  })
})
