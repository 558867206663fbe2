import { expect, test } from 'vitest'
// Not part of the public interface.
import { type Wake, wakeSection } from '../dist/wake-section.js'

const times = { p50: 1, p99: 2 }
const MACHINE = {
  cpus: '2 x CPU',
  kernel: 'linux 6',
  filesystem: 'ext4',
  node: '20.19.0',
  memoryGb: 1,
  virtualization: 'none',
}

test('the steps of all waiters are in the order in which they come, and who has not one leaves its cell empty', () => {
  const wake: Wake = {
    date: '2026-01-02T03:04:05.000Z',
    machine: MACHINE,
    priority: 'real-time',
    waiters: [
      { title: 'C', kills: 3, all: times, steps: ['begins', 'has it'].map((step) => ({ step, ...times })) },
      { title: 'JS', kills: 2, all: times, steps: ['begins', 'wakes', 'has it'].map((step) => ({ step, ...times })) },
    ],
  }
  const section = wakeSection(wake)
  const rows = section.split('\n').filter((line) => line.startsWith('| ') || line.startsWith('|  '))
  expect(rows.map((row) => row.split('|')[1]?.trim())).toEqual(['', 'begins', 'wakes', 'has it', 'all'])
  expect(rows[2]).toMatch(/^\| wakes \| +\| +\| 1 µs \| 2 µs \|$/)
  expect(section).toContain('3 kills for C, 2 kills for JS')
  expect(section).toContain('real-time priority')
})
