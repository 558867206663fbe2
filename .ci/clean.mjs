// Fails when a check changed or made a file that git sees: generated files must be committed, temporary ones ignored.
import { execFileSync } from 'node:child_process'

const changes = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' })
process.stdout.write(changes)
process.exitCode = changes === '' ? 0 : 1
