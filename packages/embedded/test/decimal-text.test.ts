import { expect, test } from 'vitest'
import { encodeValue } from '../src/cbor.ts'
import { readRequest } from '../src/rpc-request.ts'

/** A request whose only parameters are a decimal, a text and a decimal. */
function request(decimal: string): Buffer {
  return Buffer.concat([Buffer.of(0xa3), ...['method', 'ping', 'params'].map(encodeValue), parameters(decimal), ...ID])
}

function parameters(decimal: string): Buffer {
  const tagged = Buffer.concat([Buffer.of(0xca), encodeValue(decimal)])
  return Buffer.concat([Buffer.of(0x84, 0x01), tagged, encodeValue('1E5'), tagged])
}

/** A decimal too, and after the parameters. */
const ID = [encodeValue('id'), Buffer.of(0xca), encodeValue('1E5')]

test.each([
  ['1E-7', '0.0000001'],
  ['-1.50e+3', '-1500'],
  ['1.23E1', '12.3'],
  ['+0E-5', '+0.00000'],
  ['1E+28', '10000000000000000000000000000'],
  ['12E-29', '0.00000000000000000000000000012'],
])('a decimal %s reaches the engine as %s', (sent, written) => {
  expect(readRequest(request(sent))).toMatchObject({ params: parameters(written) })
})

test.each(['1.5', '1E-29', '1E+29', '1E', 'E5', '1E999', '1E-999999999', ' 1E5', '1E5x', ''])(
  'a decimal %j stays as it is, for the engine to read or refuse',
  (sent) => {
    expect(readRequest(request(sent))).toMatchObject({ params: parameters(sent) })
  },
)

test('a request without such a decimal is not copied', () => {
  const frame = request('0.5')
  const read = readRequest(frame)
  expect('params' in read && read.params.buffer === frame.buffer).toBe(true)
})

test('NONE is written as strict decoders read it', () => {
  expect(encodeValue(undefined)).toEqual(Buffer.of(0xc6, 0xf6))
})
