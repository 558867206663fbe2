import { execFileSync } from 'node:child_process'
import { descriptorLimit } from '@procref/testing'
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
    // The guardian could not load a module.
    'PROCREF_DESCRIPTOR_UNUSABLE',
  ],
  refuses: ['PROCREF_SERVER_SPAWN'],
  inject(stage, [whom = 0, which, how]) {
    // What Node does when it cannot even load a program is nobody's answer.
    const callers = stage.clients().filter((client) => client.calledAt !== undefined || client.lease !== undefined)
    const clients = callers.map((client) => client.process)
    const kinds = [clients, stage.guardians(), stage.servers()]
    const victim = pick(kinds[Math.floor(whom * kinds.length)] ?? [], which)
    if (victim === undefined) return
    starve(stage, victim, between(200, 4_000, how))
  },
}

function starve(stage: Stage, victim: Process, ms: number): void {
  const most = limit(victim)
  if (most === undefined) return
  stage.trace.add(`${described(victim)} may open no file more for ${ms} ms`)
  setLimit(victim, descriptorLimit(victim.pid, 0))
  stage.forAWhile(ms, () => setLimit(victim, most))
}

/** The hard limit, to which Node raises the other one when it starts; undefined when it is gone. */
function limit({ pid }: Process): number | undefined {
  try {
    const args = ['--pid', String(pid), '--nofile', '--noheadings', '--output', 'HARD']
    return Number(execFileSync('prlimit', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return undefined
  }
}

function setLimit(victim: Process, files: number): void {
  if (!isThere(victim)) return
  try {
    execFileSync('prlimit', ['--pid', String(victim.pid), `--nofile=${files}:`], { stdio: 'ignore' })
  } catch (error) {
    if (isThere(victim)) throw error
  }
}
