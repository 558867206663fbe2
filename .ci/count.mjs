// Prints "<passed> <failed>" of a vitest JSON report. A test that was skipped is named: it must not go unnoticed.
import { readFileSync } from 'node:fs'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
for (const file of report.testResults)
  for (const test of file.assertionResults)
    if (test.status !== 'passed' && test.status !== 'failed')
      console.error(`NOT RUN (${test.status}): ${test.fullName}`)
console.log(`${report.numPassedTests} ${report.numFailedTests}`)
