import { expect, test } from 'vitest'
import { encodeValue } from '../src/cbor.ts'
import { readRequest } from '../src/rpc-request.ts'

/** `[1, decimal, "1E5", decimal]`: only what is a decimal is written anew. */
function around(decimal: string): Buffer {
  const tagged = Buffer.concat([Buffer.of(0xca), encodeValue(decimal)])
  return Buffer.concat([Buffer.of(0x84, 0x01), tagged, encodeValue('1E5'), tagged])
}

const request = (decimal: string): Buffer =>
  Buffer.concat([Buffer.of(0xa2), ...['method', 'ping', 'params'].map(encodeValue), around(decimal)])

test.each([
  ['1E-7', '0.0000001'],
  ['-1.50e+3', '-1500'],
  ['1.23E1', '12.3'],
  ['+0E-5', '+0.00000'],
  ['1E+28', '10000000000000000000000000000'],
  ['12E-29', '0.00000000000000000000000000012'],
])('a decimal %s is written %s', (sent, written) => {
  expect(readRequest(request(sent))).toMatchObject({ params: around(written) })
})

test.each(['1.5', '1E-29', '1E+29', '1E', 'E5', '1E999', '1E-999999999', ' 1E5', '1E5x'])(
  'a decimal %s stays as it is, for the engine to read or refuse',
  (sent) => {
    expect(readRequest(request(sent))).toMatchObject({ params: around(sent) })
  },
)

test('a request is rewritten only when it has a decimal with an exponent', () => {
  const frame = request('0.5')
  const plain = readRequest(frame)
  expect('params' in plain && plain.params.buffer === frame.buffer).toBe(true)
})

test('NONE is written as strict decoders read it', () => {
  expect(encodeValue(undefined)).toEqual(Buffer.of(0xc6, 0xf6))
})
