import { PASSWORD, USER } from '../../../packages/embedded/test/server.ts'
import { FuzzedServer } from '../fuzzed-server.ts'
import { mutatedBytes } from '../mutated-bytes.ts'
import { exchange } from '../raw-exchange.ts'
import { fuzzTarget } from '../target.ts'

const BASIC = `Authorization: Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}\r\nSurreal-NS: main\r\nSurreal-DB: main\r\n`
const JSON_TYPE = 'Content-Type: application/json\r\nAccept: application/json\r\n'

function request(line: string, headers = '', body = ''): Buffer {
  const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  return Buffer.from(`${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}${length}\r\n${body}`)
}

/** One of each route; what a browser, a form or an upload sends. None takes long to be carried out. */
function requests(proof: string): readonly Buffer[] {
  const rpc = (body: string): Buffer => request('POST /rpc', `${proof}${JSON_TYPE}`, body)
  return [
    ...['/health', '/status', '/version', '/ready', '/', '/nothing'].map((path) => request(`GET ${path}`)),
    request('OPTIONS /sql', 'Origin: http://localhost:1\r\nAccess-Control-Request-Method: POST\r\n'),
    request('POST /sql', `${proof}Accept: application/json\r\n`, 'RETURN 1; SELECT * FROM t; RETURN $a'),
    request('POST /sql?a=1&b=%22x%22', `${proof}Accept: application/cbor\r\n`, 'RETURN [$a, $b]'),
    rpc('{"id":1,"method":"query","params":["RETURN $x",{"x":[1,2.5,null,"é"]}]}'),
    rpc('{"id":2,"method":"use","params":["main","main"]}'),
    rpc('{"id":3,"method":"version"}'),
    request('GET /key/t', `${proof}${JSON_TYPE}`),
    request('GET /key/t/a%20b?limit=1', `${proof}${JSON_TYPE}`),
    request('POST /key/t/1', `${proof}${JSON_TYPE}`, '{"n":1}'),
    request('PATCH /key/t/1', `${proof}${JSON_TYPE}`, '{"n":[{"m":2}]}'),
    request('DELETE /key/t/1', `${proof}${JSON_TYPE}`),
    request('POST /signin', JSON_TYPE, '{"ns":"main","db":"main","ac":"nobody","user":"a","pass":"b"}'),
    request('POST /signup', JSON_TYPE, '{"ns":"main","db":"main","ac":"nobody"}'),
    request('GET /export', proof),
    request('POST /export', `${proof}${JSON_TYPE}`, '{"tables":["t"],"records":true}'),
    request('POST /import', proof, 'OPTION IMPORT;\nUPDATE t:1 SET n = 1;\n'),
    request('POST /graphql', `${proof}${JSON_TYPE}`, '{"query":"{ t }"}'),
    request('POST /ml/import', proof, 'x'),
    request('GET /api/main/main/x/y', proof),
    request(
      'GET /rpc',
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
    ),
    Buffer.concat([
      Buffer.from(
        `POST /sql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${proof}Transfer-Encoding: chunked\r\n\r\n`,
      ),
      Buffer.from('5\r\nRETUR\r\n3\r\nN 2\r\n0\r\n\r\n'),
    ]),
  ]
}

const STATUS = /^HTTP\/1\.[01] ([1-5]\d\d) /

export const httpTargets = [
  { who: 'nobody', proof: '', unharmed: 'and has all its rows' },
  { who: 'root', proof: BASIC, unharmed: 'whatever is in it' },
].map(({ who, proof, unharmed }) =>
  fuzzTarget<Buffer>({
    name: `http-${who}`,
    title: `HTTP requests to the embedded server, signed in as ${who}`,
    inputs: mutatedBytes(requests(proof)),
    sample: 750,
    async open() {
      const server = new FuzzedServer()
      return {
        async feed(input) {
          const answer = await exchange(await server.port(), input)
          const status = STATUS.exec(answer.toString('latin1', 0, 20))?.[1]
          if (answer.length > 0 && status === undefined)
            throw new Error(`it answered ${answer.toString('latin1', 0, 200)}`)
          // A fault of ours that was caught: nobody should meet one.
          if (status === '500') throw new Error(`it answered ${answer.toString('latin1', 0, 2_000)}`)
          await server.check(unharmed as 'whatever is in it')
        },
        settle: () => server.settle(),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      }
    },
  }),
)
