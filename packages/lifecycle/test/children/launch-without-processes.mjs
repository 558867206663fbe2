// Says how a launch was refused when this user may have no other process, and none is left for it. args: the directory for the log.
import { execFileSync } from 'node:child_process'
import { say } from '@procref/testing/child'
import { launchDetached } from '../../dist/detached/launch.js'
import { GuardianLaunchError } from '../../dist/errors.js'

const [, , dir] = process.argv
execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=1:1'])
try {
  await launchDetached({
    program: '../guardian/main.js',
    remedyInBundle: '',
    setup: {},
    env: {},
    serverLog: `${dir}/server.log`,
    Failure: GuardianLaunchError,
  })
} catch ({ code, message }) {
  say('refused', { code, message })
}
