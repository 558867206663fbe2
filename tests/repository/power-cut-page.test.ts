import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './workspace.ts'

test('docs/reliability.md says of power cuts what the soak measured', () => {
  const program = join(root, 'docs/power-cut.mjs')
  const { status, stderr } = spawnSync(process.execPath, [program, '--check'], { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
})
