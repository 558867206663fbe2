// A reporter for vitest: writes what went wrong outside of the tests (an unhandled rejection, a worker that died), a line each,
// to the file that OUTSIDE_ERRORS names. The JSON report has none of it.
import { writeFileSync } from 'node:fs'

export default class OutsideReporter {
  onTestRunEnd(_modules, errors) {
    const lines = errors.map(({ name, message, stack }) => {
      const where = /^\s+at .*/m.exec(stack ?? '')?.[0].trim() ?? ''
      return `${name}: ${message} ${where}`.replaceAll('\n', ' ')
    })
    writeFileSync(process.env.OUTSIDE_ERRORS, lines.map((line) => `${line}\n`).join(''))
  }
}
