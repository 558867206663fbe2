import { expect, test } from 'vitest'
// Not part of the public interface.
import { boundsSection, type End } from '../dist/bounds-section.js'

const MACHINE = { cpus: '2 x CPU', kernel: 'linux 6', filesystem: 'ext4', node: '20.19.0' }

function sectionOf(end: Partial<End>): string {
  const whole: End = {
    title: 'a service',
    end: 'one client',
    count: 300,
    seconds: 2,
    idle: 0,
    shares: [],
    functions: [],
    ...end,
  }
  return boundsSection({ date: '2026-01-02T03:04:05.000Z', machine: MACHINE, ends: [whole] } as unknown as Parameters<
    typeof boundsSection
  >[0])
}

test('processors that wait are not the bound: the way of one request is', () => {
  const section = sectionOf({ idle: 0.45, shares: [{ role: 'server', where: '/lib/engine.so', share: 0.6 }] })
  expect(section).toContain(
    'the way of one request after the other: 45 % of the processors wait (busy: the server most)',
  )
  expect(section).toContain('| 150 |')
  expect(section).toContain('server: engine.so 60 %')
})

test('busy processors are the bound, and whoever keeps them busy is named', () => {
  const shares = [
    { role: 'server', where: 'engine.so', share: 0.2 },
    { role: 'guardian', where: 'node', share: 0.1 },
    { role: 'others', where: 'node', share: 0.5 },
  ] as const
  expect(sectionOf({ idle: 0.02, shares })).toContain('the processors, busy with the others most')
  expect(sectionOf({ idle: 0.02, shares: shares.slice(0, 2) })).toContain('the processors, busy with the server most')
})

test('functions without a name are left out, long names cut', () => {
  const of = (symbol: string) => ({ role: 'server', library: 'engine.so', symbol, share: 0.05 }) as const
  const section = sectionOf({ functions: [of('0x00000000012cb52a'), of('[k] exc_page_fault'), of('f'.repeat(100))] })
  expect(section).not.toContain('0x0000')
  expect(section).toContain('`exc_page_fault` 5 %')
  expect(section).toContain(`\`${'f'.repeat(59)}…\` 5 %`)
})
