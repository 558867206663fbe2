import { type Fault, pick } from './fault.ts'

/** Guardian and server are replaced under their users. */
export const restart: Fault = {
  endsServer: true,
  inject(stage) {
    stage.excuses.everybody()
    stage.command('restart')
  },
}

/** Leases end with the reason, and nobody starts it again for them. */
export const stopForce: Fault = {
  endsServer: true,
  explains: ['PROCREF_STOPPED_ON_REQUEST'],
  inject(stage) {
    stage.excuses.everybody()
    stage.command('stop', '--force')
  },
}

/** Somebody looks. */
export const ask: Fault = {
  inject(stage, [what]) {
    stage.command(...(pick([['status'], ['ps'], ['why'], ['doctor']], what) ?? ['status']))
  },
}
