import { expect, test } from 'vitest'
import { readResults } from '../src/read-results.ts'
import { syntheticResults } from './synthetic-results.ts'

const whole = JSON.stringify(syntheticResults())

test('what a run wrote is read as it was, with what a later version adds', () => {
  expect(readResults(whole)).toEqual(syntheticResults())
  const added = { ...syntheticResults(), weather: 'fair' }
  expect(readResults(JSON.stringify(added))).toEqual(added)
})

test.each([
  ['of nothing', '', 'PROCREF_RESULTS_NOT_READABLE', /old\.json is empty/],
  ['that is no JSON', '# Results', 'PROCREF_RESULTS_NOT_READABLE', /old\.json is not JSON/],
  ['that was cut short', whole.slice(0, 1_000), 'PROCREF_RESULTS_NOT_READABLE', /old\.json was cut short/],
  [
    'that was cut short behind a value',
    whole.slice(0, whole.indexOf('}') + 1),
    'PROCREF_RESULTS_NOT_READABLE',
    /cut short/,
  ],
  ['with a fault in its midst', whole.replace('"scale":', '"scale"='), 'PROCREF_RESULTS_NOT_READABLE', /is not JSON/],
  [
    'of another form',
    whole.replace('"format":1', '"format":2'),
    'PROCREF_RESULTS_FORMAT',
    /format 2, and this version reads format 1/,
  ],
  ['of another program', '{"benchmarks": []}', 'PROCREF_RESULTS_FORMAT', /has no "format"/],
  ['that is a list', '[1, 2]', 'PROCREF_RESULTS_FORMAT', /has no "format"/],
  [
    'of our form, without the rest',
    '{"format": 1}',
    'PROCREF_RESULTS_INVALID',
    /old\.json is no complete[\s\S]*machine/,
  ],
  [
    'with a word for a number',
    whole.replace(/"p99":[\d.]+/, '"p99":"slow"'),
    'PROCREF_RESULTS_INVALID',
    /scenarios\[0\][\s\S]*p99/,
  ],
])('a file %s is refused and named', (_, text, code, message) => {
  expect(() => readResults(text, 'old.json')).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  )
})

test('wherever it is cut short, a file is refused and never read as a smaller one', () => {
  for (let length = 1; length < whole.length; length += 997) {
    expect(() => readResults(whole.slice(0, length)), `${length} of ${whole.length}`).toThrow(
      expect.objectContaining({ code: 'PROCREF_RESULTS_NOT_READABLE', message: expect.stringMatching(/cut short/) }),
    )
  }
})
