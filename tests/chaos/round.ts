import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { type Child, type ControlGroup, eventually, makeControlGroup, processState } from '@procref/testing'
import { type Bystander, startBystander } from './bystander.ts'
import { Client } from './client.ts'
import { Excuses } from './excuses.ts'
import { FAULTS } from './faults/index.ts'
import { answers, PATIENT_MS } from './invariants/answers.ts'
import type { Invariant, Look } from './invariants/invariant.ts'
import { noStopUnderLease } from './invariants/no-stop-under-lease.ts'
import { oneServer } from './invariants/one-server.ts'
import type { Plan } from './plan.ts'
import { described, type Process, processOf, roleOf } from './processes.ts'
import { databaseUsers, type Stage } from './stage.ts'
import { type Thief, takePort } from './stranger.ts'
import { makeSurroundings, type Surroundings } from './surroundings.ts'
import { Trace } from './trace.ts'
import type { Violation } from './violation.ts'

/** The programs of an installation of procref: its clients and its command. */
export interface Installation {
  readonly client: string
  readonly procref: string
}

export const OURS: Installation = {
  client: resolve(import.meta.dirname, 'children/client.mjs'),
  procref: resolve(import.meta.dirname, '../../packages/procref/bin/procref.js'),
}

export interface Outcome {
  readonly plan: Plan
  /** What is wrong; empty: nothing. */
  readonly violations: readonly Violation[]
  /** When the rows were counted. */
  readonly acknowledged: number
  readonly rows: number
  readonly clients: number
  readonly servers: number
  /** How many connects were refused, and leases lost, with each code. */
  readonly answers: Readonly<Record<string, number>>
  readonly seconds: number
  /** What happened, for people. */
  readonly trace: string
}

/** Between two looks. What happens and is over between them is not seen. */
const LOOK_MS = 50
/** Everything that was done to a round is undone, and it has so long to be as if nothing had happened; a crash loop bars starts for a minute. */
const SETTLE_MS = 150_000
const IMPATIENT_MS = 4_000
/** What belongs to a finding: the end of them. */
const LOGS = ['journal.ndjson', 'server.log']
const LOG_CHARS = 10_000

/** How much of a round is played. */
export interface Patience {
  readonly until: 'the end' | 'the first violation'
  readonly settleMs: number
}

const PATIENCE: Patience = { until: 'the end', settleMs: SETTLE_MS }

/** Plays a round. Never rejects for what procref does: that is a violation. Caller: only where `canGroup()`. */
export async function playRound(
  plan: Plan,
  installation: Installation = OURS,
  patience: Patience = PATIENCE,
): Promise<Outcome> {
  const began = performance.now()
  await using surroundings = await makeSurroundings(plan)
  await using group = makeControlGroup()
  await using round = new Round(plan, installation, patience, surroundings, group)
  return { ...(await round.play()), seconds: Math.round((performance.now() - began) / 100) / 10 }
}

/** Thrown to end a round whose first violation was all that was wanted. */
class Enough extends Error {}

class Round implements Stage, AsyncDisposable {
  readonly dir: string
  readonly surroundings: Surroundings
  readonly group: ControlGroup
  readonly excuses: Excuses = new Excuses()
  readonly trace: Trace = new Trace()
  readonly #plan: Plan
  readonly #installation: Installation
  readonly #patience: Patience
  readonly #invariants: readonly Invariant[]
  readonly #clients: Client[] = []
  readonly #commands: { readonly words: string; readonly child: Child }[] = []
  readonly #thieves: Thief[] = []
  readonly #undo = new Set<() => void>()
  readonly #violations: Violation[] = []
  readonly #servers = new Map<string, Process>()
  readonly #readers: Client[] = []
  #bystander: Bystander | undefined
  #acknowledged = 0
  #rows = 0
  #isOver = false

  constructor(
    plan: Plan,
    installation: Installation,
    patience: Patience,
    surroundings: Surroundings,
    group: ControlGroup,
  ) {
    this.#plan = plan
    this.#installation = installation
    this.#patience = patience
    this.surroundings = surroundings
    this.group = group
    this.dir = surroundings.dir
    this.#invariants = [oneServer(), noStopUnderLease(), answers(plan.kinds)]
  }

  async play(): Promise<Omit<Outcome, 'seconds'>> {
    const observing = this.#observe()
    try {
      // Before anybody else: when it started is all that tells a process from another that had its pid, which never starts in the same tick.
      if (this.#plan.kinds.includes('reuse-pid')) await this.bystander()
      for (let n = 0; n < this.#plan.clients; n++) this.join()
      if (this.#plan.begins !== undefined) {
        const answered = (): boolean => this.#clients.every((client) => client.isServed || client.hasEnded)
        await eventually('the first ones have their answers', answered, SETTLE_MS)
      }
      for (const { afterMs, kind, draws } of this.#plan.steps) {
        await after(afterMs)
        this.#throwIfEnough()
        this.trace.add(`— ${kind}`)
        await FAULTS[kind].inject(this, draws)
      }
      this.#heal()
      await this.#settle()
      await this.#countRows()
      await this.#endAll()
    } catch (error) {
      if (!(error instanceof Enough)) this.#violate('the round itself', textOf(error))
    } finally {
      this.#isOver = true
      await observing
    }
    return this.#outcome()
  }

  clients(): readonly Client[] {
    return this.#clients.filter((client) => !client.isDismissed && !client.hasEnded)
  }

  guardians(): readonly Process[] {
    const all = this.#processes().filter(({ pid }) => roleOf(pid) === 'guardian')
    const pids = new Set(all.map(({ pid }) => pid))
    // What a guardian starts has its environment until it is another program: it is none.
    return all.filter(({ pid }) => !pids.has(processState(pid)?.parentPid ?? 0))
  }

  servers(): readonly Process[] {
    return databaseUsers(this.dir, this.group.pids()).flatMap((pid) => processOf(pid) ?? [])
  }

  join(): void {
    const n = this.#clients.length
    // By their number: what each of them is does not depend on what has happened.
    this.#start(`c${n}`, n % 3 === 0 ? 'flock' : 'native', n % 5 === 4 ? IMPATIENT_MS : PATIENT_MS)
  }

  forAWhile(ms: number, undo: () => void): void {
    const once = (): void => {
      clearTimeout(timer)
      if (this.#undo.delete(once)) undo()
    }
    const timer = setTimeout(once, ms)
    this.#undo.add(once)
  }

  command(...words: readonly string[]): void {
    const name = words.join(' ')
    this.trace.add(`procref ${name}`)
    const [verb = '', ...options] = words
    const args = [this.#installation.procref, verb, '--dir', this.dir, ...options]
    const child = this.group.start(process.execPath, { args, env: this.surroundings.env })
    this.#commands.push({ words: name, child })
    void child.exited.then(({ code }) => this.trace.add(`procref ${name}: exit code ${code} ${child.stderr().trim()}`))
  }

  stealPort(port: number, ms: number): void {
    const thief = takePort(port)
    this.#thieves.push(thief)
    this.forAWhile(ms, () => thief.leave())
  }

  async bystander(): Promise<number> {
    this.#bystander ??= await startBystander()
    return this.#bystander.pid
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#heal()
    await Promise.all(this.#thieves.map((thief) => thief.leave()))
    await this.#bystander?.[Symbol.asyncDispose]()
  }

  #start(name: string, backend: 'flock' | 'native', timeoutMs: number): Client {
    const { driver, storage, lingerMs } = this.#plan
    const { dir, surroundings } = this
    const { surreal: path, guardianCommand } = surroundings
    const setup = { dir, name, driver, path, storage, backend, lingerMs, timeoutMs, slots: 64, guardianCommand }
    const child = this.group.start(process.execPath, {
      args: [this.#installation.client, JSON.stringify(setup)],
      env: surroundings.env,
    })
    const client = new Client(name, timeoutMs, child, this.trace)
    this.#clients.push(client)
    return client
  }

  #processes(): readonly Process[] {
    const own = new Set([
      ...this.#clients.map(({ process }) => process.pid),
      ...this.#commands.map(({ child }) => child.pid),
    ])
    return this.group.pids().flatMap((pid) => (own.has(pid) ? [] : (processOf(pid) ?? [])))
  }

  /** Looks until the round is over, and once more. */
  async #observe(): Promise<void> {
    for (let isLast = false; !isLast; ) {
      isLast = this.#isOver
      try {
        this.#look()
      } catch (error) {
        this.#violate('the round itself', `a look failed: ${textOf(error)}`)
        return
      }
      await after(LOOK_MS)
    }
  }

  #look(): void {
    // The servers first: who then has no lease any more may have given it back before.
    const pids = this.group.pids()
    const servers = databaseUsers(this.dir, pids).flatMap((pid) => processOf(pid) ?? [])
    for (const client of this.#clients) client.look()
    for (const server of servers) {
      const key = `${server.pid}:${server.startTicks}`
      if (!this.#servers.has(key)) this.trace.add(`the database is open in ${server.pid}`)
      this.#servers.set(key, server)
    }
    const look: Look = { pids, servers, clients: this.#clients }
    for (const invariant of this.#invariants) {
      for (const { broken, text } of invariant.look(look, this)) this.#violate(broken, text)
    }
  }

  #violate(broken: Violation['broken'], text: string): void {
    this.trace.add(`VIOLATION: ${text}`)
    this.#violations.push({ broken, text })
  }

  #heal(): void {
    for (const undo of [...this.#undo]) undo()
    this.surroundings.clock?.step(0)
    this.trace.add('everything is undone')
  }

  /** Whoever is there is served and writes again. */
  async #settle(): Promise<void> {
    await this.#eventually(
      'a caller without an answer',
      'every caller has its answer, and whoever was refused has ended',
      () => this.clients().every((client) => client.isServed),
    )
    const before = new Map(this.#clients.map((client) => [client, client.acknowledged]))
    await this.#eventually('a caller without an answer', 'every lease works again', () =>
      this.clients().every((client) => !client.isServed || client.acknowledged > (before.get(client) ?? 0)),
    )
    for (const { words, child } of this.#commands) {
      const isOver = child.exited.then(() => true)
      const hangs = after(PATIENT_MS).then(() => false)
      if (!(await Promise.race([isOver, hangs])))
        this.#violate('a caller without an answer', `procref ${words} does not end`)
    }
    this.excuses.allIsWell()
    this.trace.add('all is well again')
  }

  /** A program that comes now is served, and finds every acknowledged row. */
  async #countRows(): Promise<void> {
    const reader = await this.#eventually('a caller without an answer', 'a program that comes now is served', () =>
      this.#servedReader(),
    )
    for (const client of this.#clients) client.look()
    if (reader === undefined) return
    // Right before: what is acknowledged from now on may be there or not.
    const wanted = this.#clients.map((client) => ({ client, next: client.next, acknowledged: client.acknowledged }))
    reader.send('rows')
    const rows = await reader.rows()
    for (const { client, next, acknowledged } of wanted) {
      // What was refused until now.
      client.look()
      const there = new Set(rows.flatMap(([name, n]) => (name === client.name ? n : [])))
      this.#acknowledged += acknowledged
      this.#rows += there.size
      // It writes one after the other: what is before one that is there was acknowledged, too.
      const end = Math.max(next, ...there)
      const missing = Array.from({ length: end }, (_, n) => n).filter(
        (n) => !there.has(n) && !client.refusedRows.has(n),
      )
      if (missing.length > 0) {
        const text = `of the rows of ${client.name}, acknowledged below ${next}, there are ${there.size} and not ${missing}`
        this.#violate('an acknowledged write lost', text)
      }
    }
  }

  /** The first one may be refused: a crash loop bars every start for a while. */
  #servedReader(): Client | undefined {
    const last = this.#readers.at(-1)
    if (last?.isServed) return last
    if (last === undefined || last.hasEnded)
      this.#readers.push(this.#start(`r${this.#readers.length}`, 'native', PATIENT_MS))
    return undefined
  }

  /** One half leaves, the other one is killed, and nothing is left. */
  async #endAll(): Promise<void> {
    this.#clients
      .filter((client) => !client.isDismissed)
      .forEach((client, n) => {
        if (n % 2 === 0) client.leave()
        else client.kill()
      })
    const stays = (text: string): void => this.#violate('something left behind', text)
    await this.#eventually('something left behind', 'nobody is left', () => this.group.pids().length === 0)
    const left = readdirSync(this.dir, { recursive: true, encoding: 'utf8' })
    // Of the slots' anybody may remove the oldest (docs/slot-directory.md), and nobody has to.
    const temporary = left.filter((name) => !/^(data\/db|slots)\//.test(name) && /\.(tmp|spare\d*|taken)$/.test(name))
    if (temporary.length > 0) stays(`temporary files are left: ${temporary.join(', ')}`)
    const alive = left.filter((name) => /^alive-.*\.lock$/.test(name))
    if (alive.length > 1) stays(`alive locks of guardians that are gone are left: ${alive.join(', ')}`)
    const { state } = JSON.parse(readFileSync(join(this.dir, 'server.json'), 'utf8')) as { state: string }
    const mayStay = this.#plan.kinds.some((kind) => FAULTS[kind].leavesRecord)
    if (state !== 'stopped' && !mayStay) stays(`all have gone, and the record says that it is ${state}`)
  }

  #throwIfEnough(): void {
    if (this.#patience.until === 'the first violation' && this.#violations.length > 0) throw new Enough()
  }

  /** As `eventually()`, but whoever waits in vain is told what is there. */
  async #eventually<T>(
    broken: Violation['broken'],
    what: string,
    look: () => T | undefined | false,
  ): Promise<T | undefined> {
    const { settleMs } = this.#patience
    try {
      return await eventually(
        what,
        () => {
          this.#throwIfEnough()
          return look()
        },
        settleMs,
      )
    } catch (error) {
      if (error instanceof Enough) throw error
      const there = this.group.pids().flatMap((pid) => processOf(pid) ?? [])
      const who = there.map(described).join(', ') || 'none'
      this.#violate(broken, `${what}: not within ${settleMs / 1_000} s. There are: ${who}`)
      return undefined
    }
  }

  #outcome(): Omit<Outcome, 'seconds'> {
    for (const thief of this.#thieves) {
      if (thief.heard() !== '') {
        const text = `a stranger on the port heard ${JSON.stringify(thief.heard())}`
        this.#violate('a stranger on the port heard something', text)
      }
    }
    for (const heard of this.#bystander?.heard() ?? [])
      this.#violate('a foreign process signalled', `a bystander ${heard}`)
    const count: Record<string, number> = {}
    for (const { refused, lost } of this.#clients) {
      for (const [what, answer] of [['refused', refused] as const, ['lost', lost] as const]) {
        if (answer !== undefined) count[`${what}: ${answer.code}`] = (count[`${what}: ${answer.code}`] ?? 0) + 1
      }
    }
    return {
      plan: this.#plan,
      violations: this.#violations,
      acknowledged: this.#acknowledged,
      rows: this.#rows,
      clients: this.#clients.length,
      servers: this.#servers.size,
      answers: count,
      trace:
        this.#violations.length === 0 ? '' : [this.trace.text(), ...LOGS.map((name) => this.#log(name))].join('\n'),
    }
  }

  #log(name: string): string {
    try {
      return `${name}:\n${readFileSync(join(this.dir, name), 'utf8').slice(-LOG_CHARS)}`
    } catch {
      return `there is no ${name}`
    }
  }
}

function textOf(error: unknown): string {
  return String(error instanceof Error ? error.stack : error)
}
