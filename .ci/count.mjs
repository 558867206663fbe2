// Prints "<passed> <failed>" of a vitest JSON report, then a line for each failure. A test that was skipped is named on
// standard error: it must not go unnoticed.
import { readFileSync } from 'node:fs'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
for (const file of report.testResults)
  for (const test of file.assertionResults)
    if (test.status !== 'passed' && test.status !== 'failed')
      console.error(`NOT RUN (${test.status}): ${test.fullName}`)
console.log(`${report.numPassedTests} ${report.numFailedTests}`)
for (const file of report.testResults) {
  if (file.status === 'failed' && file.assertionResults.length === 0)
    console.log(`${file.name}: ${firstLine(file.message)}`)
  for (const test of file.assertionResults)
    if (test.status === 'failed') console.log(`${test.fullName}: ${firstLine(test.failureMessages[0])}`)
}

function firstLine(text = '') {
  return text.split('\n', 1)[0]
}
