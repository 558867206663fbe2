import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
// Not part of the public interface.
import { readResults } from '../dist/index.js'
import { type Dumps, type Load, scalingSections } from '../dist/scaling-sections.js'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const results = readResults(read('../results/full.json'), 'full.json')
const load = JSON.parse(read('../../tests/soak/results/load.json')) as Load
const dumps = JSON.parse(read('../../tests/soak/results/dump.json')) as Dumps

/** The cells of the row of a table that begins with `title`, without that. */
function rowOf(section: string | undefined, title: string): readonly string[] {
  const row = section?.split('\n').find((line) => line.startsWith(`| ${title} |`)) ?? expect.unreachable(title)
  return row.split(' | ').slice(1, -1)
}

/** The same results with every number of one scenario changed. */
function withMedians(scenario: string, change: (p50: number) => number): typeof results {
  const scenarios = results.scenarios.map((one) =>
    one.name !== scenario
      ? one
      : {
          ...one,
          series: one.series.map((series) => ({
            ...series,
            points: series.points.map((point) => ({ ...point, p50: change(point.p50) })),
          })),
        },
  )
  return { ...results, scenarios }
}

test('clients are planned with half of the rate of the largest crowd', () => {
  const { queries } = scalingSections(
    withMedians('growing-clients-rate', () => 2_000),
    load,
    dumps,
  )
  expect(queries).toContain('| 1 a second | 1,000 clients | 1,000 clients |')
  expect(queries).toContain('| 10 a second | 100 clients | 100 clients |')
})

test('the memory of a further client is the growth over the crowd, and at least that of a connection that does nothing', () => {
  const clientsWith = (mb: number): readonly number[] =>
    rowOf(
      scalingSections(
        withMedians('growing-clients-memory', () => mb),
        load,
        dumps,
      ).memory,
      '`surreal`',
    ).map(Number.parseFloat)
  // All crowds the same: a further client takes what an idle connection does.
  const [server, each] = clientsWith(500)
  const { rssMb, outcome } = load.real.find(({ burden }) => burden === 'idle connections') ?? expect.unreachable()
  expect(server).toBe(500)
  expect(each).toBeCloseTo((rssMb.peak - rssMb.before) / (outcome.connections ?? Number.NaN), 3)
})

test('a number that was not measured is named', () => {
  const without = { ...results, scenarios: results.scenarios.filter(({ name }) => name !== 'growing-clients-rate') }
  expect(() => scalingSections(without, load, dumps)).toThrow(/full\.json.*growing-clients-rate/)
  expect(() => scalingSections(results, { ...load, real: [] }, dumps)).toThrow(
    /load\.json has no idle connections of real/,
  )
  const fewer = { ...dumps, results: dumps.results.filter(({ server }) => server === 'real') }
  expect(() => scalingSections(results, load, fewer)).toThrow(/dump\.json has no .* of embedded/)
})
