import { type CallSpec, type ProtocolCase, signIn, useMain, withoutId } from './call-lists.ts'
import { codec, type Message, type RawClient, Uuid } from './raw-client.ts'

const S1 = new Uuid('22222222-2222-4222-8222-222222222222')
const UNKNOWN = new Uuid('44444444-4444-4444-8444-444444444444')

interface StreamFrame {
  readonly stream?: string
  readonly index?: number
  readonly values?: readonly unknown[]
  readonly value?: unknown
}

/** Everything that answers one `query_stream`. In how many frames the rows of a statement come is the server's business. */
async function streamed(client: RawClient, params: readonly unknown[], more: object = {}): Promise<unknown> {
  const frames: (StreamFrame | undefined)[] = []
  let last: Message = await client.call('query_stream', params, more)
  for (;;) {
    if (last.error !== undefined) return [...frames, withoutId(last)]
    const frame = last.result as StreamFrame
    const before = frames.at(-1)
    if (frame.stream === 'rows' && before?.stream === 'rows' && before.index === frame.index)
      frames.splice(-1, 1, { ...before, values: [...(before.values ?? []), ...(frame.values ?? [])] })
    else frames.push(frame.value instanceof Uuid ? { ...frame, value: 'an id' } : frame)
    if (frame.stream === 'end') return { frames, session: last.session }
    // What a live query is told has no id.
    do last = await client.next('the next frame of a stream')
    while (last.id === undefined)
  }
}

type StreamCall = readonly [statements: string, vars?: unknown, more?: object]

/** Each answered before the next is asked, on a connection of its own. */
function streams(name: string, before: readonly CallSpec[], ...queries: readonly StreamCall[]): ProtocolCase {
  return {
    name,
    run: async (client) => {
      for (const call of before) await client.result(...call)
      const answers: Record<string, unknown> = {}
      for (const [i, [statements, vars, more]] of queries.entries()) {
        const params = vars === undefined ? [statements] : [statements, vars]
        answers[`${i} ${statements}`.slice(0, 100)] = await streamed(client, params, more)
      }
      return answers
    },
  }
}

const IN_MAIN: readonly CallSpec[] = [
  signIn,
  useMain,
  ['query', ['REMOVE TABLE IF EXISTS st; DEFINE TABLE st; CREATE st:1 SET a = 1; CREATE st:2 SET a = 2']],
]

export const STREAM_CASES: readonly ProtocolCase[] = [
  streams('query_stream: nobody signed in', [], ['RETURN 1'], ['RETURN 1', 1], ['']),
  streams(
    'query_stream: values and rows',
    IN_MAIN,
    ['RETURN 1'],
    ['RETURN NONE'],
    ['RETURN [1, [2]]'],
    ['RETURN []'],
    ['RETURN {}'],
    ['SELECT * FROM st'],
    ['SELECT * FROM ONLY st:1'],
    ['SELECT * FROM st WHERE a > 5'],
    ['CREATE st:3 SET a = 3'],
    ['CREATE ONLY st:4'],
    ['DELETE st:4'],
    ['RETURN $a', { a: [1, { b: 2 }] }],
    ['RETURN 1; RETURN [2]; SELECT VALUE a FROM st:1'],
    ['LET $x = 5; RETURN $x'],
    ['INFO FOR TABLE st'],
    ['DEFINE PARAM OVERWRITE $p VALUE 1'],
    ['RETURN 1;;;RETURN 2'],
    ['-- nothing'],
    [''],
  ),
  streams(
    'query_stream: errors',
    IN_MAIN,
    ['RETRN 1'],
    ['THROW "x"'],
    ['RETURN 1; THROW "x"; RETURN 2'],
    ['SELECT * FROM unmade_stream'],
    ['CREATE st:1'],
    ['RETURN 1', 'no object'],
  ),
  streams('query_stream: a transaction of statements', IN_MAIN, ['BEGIN; CREATE st:5; RETURN [1]; COMMIT; RETURN 2']),
  streams('query_stream: a transaction of statements that is cancelled', IN_MAIN, ['BEGIN; CREATE st:6; CANCEL']),
  streams('query_stream: a transaction of statements that fails', IN_MAIN, ['BEGIN; CREATE st:7; THROW "no"; COMMIT']),
  streams(
    'query_stream: many rows',
    IN_MAIN,
    ['RETURN array::range(0, 3000)'],
    ['FOR $i IN 0..700 { CREATE st }; SELECT VALUE 1 FROM st'],
  ),
  streams(
    'query_stream: on a session of its own',
    [
      ...IN_MAIN,
      ['attach', [], { session: S1 }],
      ['signin', signIn[1], { session: S1 }],
      ['use', useMain[1], { session: S1 }],
    ],
    ['RETURN $session.id', undefined, { session: S1 }],
    ['RETURN 1', undefined, { session: UNKNOWN }],
    ['RETURN 1', undefined, { txn: UNKNOWN }],
  ),
  {
    name: 'query_stream: in a transaction',
    run: async (client) => {
      for (const call of IN_MAIN) await client.result(...call)
      const txn = await client.result('begin')
      const inside = await streamed(client, ['CREATE st:8; SELECT * FROM st:8'], { txn })
      const meanwhile = await client.query('SELECT * FROM st:8')
      await client.result('cancel', [txn])
      return { inside, meanwhile, afterwards: await client.query('SELECT * FROM st:8') }
    },
  },
  {
    name: 'query_stream: live queries',
    run: async (client) => {
      for (const call of IN_MAIN) await client.result(...call)
      const made = await streamed(client, ['LIVE SELECT * FROM st'])
      await client.query('CREATE st:9')
      const { result } = (await client.next('what the live query is told')) as { result: { id: Uuid; action: string } }
      return { made, told: result.action, killed: await streamed(client, ['KILL $id', { id: result.id }]) }
    },
  },
  {
    name: 'query_stream: without an id, and with ids of every kind',
    run: async (client) => {
      for (const call of IN_MAIN) await client.result(...call)
      const answers: unknown[] = []
      for (const id of [undefined, null, 7, 1.5, UNKNOWN]) {
        client.send(codec.encode({ id, method: 'query_stream', params: ['RETURN 1'] }))
        let last = await client.next('the first frame')
        answers.push(last)
        while (last.error === undefined && (last.result as StreamFrame).stream !== 'end') {
          last = await client.next('the next frame')
          answers.push(last)
        }
      }
      return answers
    },
  },
  {
    name: 'query_stream: two of one id, and the end of one that is under way',
    run: async (client) => {
      for (const call of IN_MAIN) await client.result(...call)
      const ask = (statements: string): void =>
        client.send(codec.encode({ id: 'one', method: 'query_stream', params: [statements] }))
      // Longer than this process, or a server, is without a processor between the two.
      ask('SLEEP 3s; RETURN 1')
      ask('RETURN 2')
      const answers: Message[] = []
      const isOver = ({ error, result }: Message): boolean =>
        error !== undefined || (result as StreamFrame).stream === 'end'
      while (answers.filter(isOver).length < 2) answers.push(await client.next('a frame'))
      ask('RETURN 3')
      do answers.push(await client.next('a frame'))
      while (!isOver(answers.at(-1) as Message))
      // Which of the two is refused first, before or after the other has begun, is not said.
      const [refused, rest] = [answers.filter(({ error }) => error), answers.filter(({ error }) => !error)]
      return { refused, rest }
    },
  },
  {
    name: 'query_cancel: nothing to cancel',
    run: async (client) => {
      for (const call of IN_MAIN) await client.result(...call)
      await streamed(client, ['RETURN 1'])
      const answers: unknown[] = []
      for (const params of [['1'], ['x'], [1], [], [1, 2], [null]])
        answers.push(withoutId(await client.call('query_cancel', params)))
      return answers
    },
  },
  {
    name: 'query_cancel: a query that writes',
    run: async (client) => {
      for (const call of IN_MAIN) await client.result(...call)
      client.send(codec.encode({ id: 'one', method: 'query_stream', params: ['SLEEP 2s; CREATE st:cancelled'] }))
      const cancelled = withoutId(await client.call('query_cancel', ['one']))
      const frames: unknown[] = []
      let last: Message
      do {
        last = await client.next('a frame')
        frames.push(last)
      } while ((last.result as StreamFrame).stream !== 'end')
      return { cancelled, frames, written: await client.query('SELECT * FROM st:cancelled') }
    },
  },
]

/** Why these differ, and stay. */
export const STREAM_DIFFERENCES: Readonly<Record<string, string>> = {
  'query_stream: a transaction of statements that fails':
    'After an error in a transaction engine 3.0.2 gives no answer to the COMMIT; 3.3.5 does.',
  'query_stream: in a transaction':
    'In a transaction engine 3.0.2 answers a record that was made in it without its id.',
  'query_cancel: a query that writes':
    'Nothing stops what engine 3.0.2 has begun. The stream is answered to its end, as by a real server that is told too late: were it said to ' +
    'have been stopped, its client would take for undone what is done.',
}
