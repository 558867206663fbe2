// The engine's own binary, with nothing of ours around it: `node raw-engine.mjs HAZARD`. Says how it went, if it can.
import { createRequire } from 'node:module'
import { say } from '@procref/testing/child'
import { CborCodec, Uuid } from 'surrealdb'
import { findPlatformBinary } from '../../dist/platform-binary.js'

const { SurrealNodeEngine } = createRequire(import.meta.url)(findPlatformBinary().file)
const engine = await SurrealNodeEngine.connect('mem://')
const codec = new CborCodec({})
const session = new Uuid('11111111-1111-4111-8111-111111111111')

async function call(method, params = [], of = session) {
  return codec.decode(await engine.execute(codec.encode({ method, params, session: of })))
}

const hazards = {
  anonymous: () => call('query', ['INFO FOR ROOT']),
  'use without a namespace': () => call('use', [undefined, 'x']),
  'use that leaves the namespace': async () => {
    await call('use', ['main', 'main'])
    return await call('use', [null, 'x'])
  },
  'fatal duration': () => {
    const bytes = Buffer.from(
      'a3666d6574686f646470696e6766706172616d7381ce821bffffffffffffffff1aee6b280067736573',
      'hex',
    )
    const tail = Buffer.from('73696f6ed8255011111111111141118111111111111111', 'hex')
    return engine.execute(Buffer.concat([bytes, tail]))
  },
  'deep expression': () => call('query', [`RETURN ${'!'.repeat(100_000)}true`]),
  'recursive function': async () => {
    await call('use', ['main', 'main'])
    await call('query', ['DEFINE FUNCTION fn::deep($n: int) { RETURN fn::deep($n + 1) }'])
    return await call('query', ['RETURN fn::deep(0)'])
  },
  'execute after free': async () => {
    await engine.free()
    return await call('ping')
  },
  'two calls at once': async () => {
    // They meet where two of its threads are at work at the same moment, which a busy machine does not grant each time.
    for (let round = 1; round <= 8; round++) {
      const own = new Uuid(`22222222-2222-4222-8222-${String(round).padStart(12, '0')}`)
      await call('attach', [], own)
      const calls = []
      for (let i = 0; i < 200; i++) calls.push(call('query', ['RETURN 1'], own), call('use', ['main', 'main'], own))
      const all = Promise.all(calls).then(() => 'all were answered')
      // Ten times as many calls that are not in that session.
      for (let i = 0; i < 4_000; i++) await engine.execute(codec.encode({ method: 'query', params: ['RETURN 1'] }))
      const how = await Promise.race([all, Promise.resolve('some hang')])
      if (how === 'some hang') return how
    }
    return 'all were answered'
  },
}

await call('attach')
say('ready')
const answer = await hazards[process.argv[2]]()
say('survived', { answer: JSON.stringify(answer) })
process.exit(0)
