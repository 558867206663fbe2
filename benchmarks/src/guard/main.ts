// What CI runs: `node dist/guard/main.js`. Exit code 1: a ratio is beyond its limit, or could not be measured.
import { guard } from './guard.ts'
import { guardText } from './guard-text.ts'
import { GUARDED_RATIOS } from './guarded-ratios.ts'

const verdicts = await guard({
  ratios: GUARDED_RATIOS,
  onProgress: ({ title, message }) => process.stderr.write(`${title}: ${message}\n`),
})
process.stdout.write(guardText(verdicts))
if (verdicts.some(({ verdict }) => verdict !== 'within')) process.exitCode = 1
