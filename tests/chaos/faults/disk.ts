import { between, type Fault } from './fault.ts'

export const fullDisk: Fault = {
  endsServer: true,
  needs: ['small-disk'],
  explains: [
    'PROCREF_DISK_FULL',
    'PROCREF_SERVER_FAILED',
    'PROCREF_CRASH_LOOP',
    'PROCREF_GUARDIAN_LAUNCH',
    'PROCREF_CONNECT_TIMEOUT',
  ],
  // A server that could not even write into its log why it ended.
  refuses: ['PROCREF_SERVER_EXITED'],
  inject(stage, [how]) {
    const ms = between(200, 5_000, how)
    stage.trace.add(`the disk is full for ${ms} ms`)
    // An engine that cannot write may end itself, and is replaced when there is space again: also some time later.
    stage.excuses.everybody()
    stage.excuses.strike(...stage.servers())
    stage.surroundings.disk?.fill()
    stage.forAWhile(ms, () => {
      stage.excuses.strike(...stage.servers())
      stage.surroundings.disk?.free()
      stage.trace.add('the disk has space')
    })
  },
}

export const slowDisk: Fault = {
  needs: ['slow-disk'],
  inject(stage, [how, long]) {
    const [delay, ms] = [between(20, 2_000, (how ?? 0) ** 2), between(500, 6_000, long)]
    stage.trace.add(`each sync and rename takes ${delay} ms longer, for ${ms} ms`)
    stage.surroundings.slowDisk?.delay(delay)
    stage.forAWhile(ms, () => stage.surroundings.slowDisk?.delay(0))
  },
}
