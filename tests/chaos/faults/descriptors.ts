import { execFileSync } from 'node:child_process'
import { openFiles } from '@procref/testing'
import { described, isThere, type Process } from '../processes.ts'
import type { Stage } from '../stage.ts'
import { between, type Fault, pick } from './fault.ts'

/** Somebody can open nothing more for a while (EMFILE). */
export const tooManyFiles: Fault = {
  endsServer: true,
  explains: [
    'PROCREF_TOO_MANY_OPEN_FILES',
    'PROCREF_SERVER_FAILED',
    'PROCREF_GUARDIAN_BLIND',
    'PROCREF_GUARDIAN_LAUNCH',
    'PROCREF_CRASH_LOOP',
    'PROCREF_LEASE_LOST',
    'PROCREF_BACKEND_UNAVAILABLE',
  ],
  inject(stage, [whom = 0, which, how]) {
    const clients = stage.clients().map((client) => client.process)
    const kinds = [clients, stage.guardians(), stage.servers()]
    const victim = pick(kinds[Math.floor(whom * kinds.length)] ?? [], which)
    if (victim === undefined) return
    // A server that cannot open its files may end itself.
    stage.excuses.everybody(true)
    starve(stage, victim, between(200, 4_000, how))
  },
}

function starve(stage: Stage, victim: Process, ms: number): void {
  const before = limits(victim)
  if (before === undefined) return
  const used = openFiles(victim.pid).length
  stage.trace.add(`${described(victim)} may open no file beyond its ${used} for ${ms} ms`)
  limit(victim, `${used}:`)
  stage.forAWhile(ms, () => limit(victim, `${before}:`))
}

/** How many files it may have open; undefined when it is gone. */
function limits({ pid }: Process): string | undefined {
  try {
    return execFileSync('prlimit', ['--pid', String(pid), '--nofile', '--noheadings', '--output', 'SOFT'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}

function limit(victim: Process, value: string): void {
  if (!isThere(victim)) return
  try {
    execFileSync('prlimit', ['--pid', String(victim.pid), `--nofile=${value}`], { stdio: 'ignore' })
  } catch (error) {
    if (isThere(victim)) throw error
  }
}
