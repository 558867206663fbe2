import { attempt, attempts, type Cases, type Sdk } from '../sdk.ts'

type Paths = {
  '/echo': Record<'get' | 'post' | 'put' | 'delete' | 'patch' | 'trace', [unknown, unknown]>
  '/nested/path': { get: [undefined, unknown] }
  '/fails': { get: [undefined, unknown] }
  '/throws': { get: [undefined, unknown] }
  '/text': { get: [undefined, unknown] }
  '/unmade': { get: [undefined, unknown] }
}

async function define({ db }: Sdk): Promise<void> {
  await db.query(`
    DEFINE API '/echo' FOR get, post, put, delete, patch, trace THEN {
      RETURN { body: { method: $request.method, body: $request.body, query: $request.query, own: $request.headers['x-own'] } }
    };
    DEFINE API '/nested/path' FOR get THEN { RETURN { body: 'nested', headers: { 'x-answer': '1' } } };
    DEFINE API '/fails' FOR get THEN { RETURN { status: 418, body: 'teapot' } };
    DEFINE API '/throws' FOR get THEN { THROW 'no' };
    DEFINE API '/text' FOR get MIDDLEWARE api::res::body('json') THEN { RETURN { body: { a: 1 } } };
    DEFINE API '/item/:id<int>' FOR get THEN { RETURN { body: $request.params } }`)
}

export const API: Cases = {
  'api: every method': async (sdk) => {
    await define(sdk)
    const api = sdk.db.api<Paths>()
    return await attempts(
      () => api.get('/echo'),
      () => api.post('/echo', { a: 1 }),
      () => api.put('/echo', [1]),
      () => api.delete('/echo', 'text'),
      () => api.patch('/echo', 1),
      () => api.trace('/echo'),
      () => api.invoke('/echo'),
      () => api.invoke('/echo', { method: 'post', body: { b: 2 }, headers: { 'x-own': 'h' }, query: { q: '1' } }),
    )
  },
  'api: headers, query, value, json': async (sdk) => {
    await define(sdk)
    const api = sdk.db.api<Paths>()
    api.header('x-own', 'always')
    const answers = await attempts(
      () => api.get('/echo').header('x-own', 'once'),
      () => api.get('/echo').query('q', '1').query('r', 'ü'),
      () => api.get('/echo').value(),
      () => api.get('/echo').json(),
    )
    api.header('x-own', null)
    return [answers, await attempt(() => api.get('/echo').value())]
  },
  'api: with a prefix; paths with parameters': async (sdk) => {
    await define(sdk)
    return await attempts(
      () => sdk.db.api<{ '/path': { get: [undefined, unknown] } }>('/nested').get('/path'),
      () => sdk.db.api('/item').invoke('/7'),
      () => sdk.db.api('/item').invoke('/x'),
    )
  },
  'api: failures': async (sdk) => {
    await define(sdk)
    const api = sdk.db.api<Paths>()
    return await attempts(
      () => api.get('/fails'),
      () => api.get('/fails').value(),
      () => api.get('/throws'),
      () => api.get('/unmade'),
      () => api.get('/unmade').value(),
      () => api.get('/text'),
      () => api.invoke('/nested/path', { method: 'post' }),
      () => api.invoke('no slash'),
    )
  },
  'api: stream, compile': async (sdk) => {
    await define(sdk)
    const frames: unknown[] = []
    for await (const frame of sdk.db.api<Paths>().get('/nested/path').stream()) frames.push(frame)
    return [frames, sdk.db.api<Paths>().get('/echo').compile().query]
  },
}
