import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  atEnd,
  type Child,
  endDirectory,
  eventually,
  freePort,
  freshDir,
  makeTempDir,
  startProgram,
  surrealBinary,
} from '@procref/testing'
import pc from 'picocolors'
import { afterAll, expect, onTestFinished } from 'vitest'
// Not part of the public interface.
import { resolveBackend } from '../dist/choose-backend.js'
import { type DoctorReport, runDoctor, viewDoctor } from '../dist/commands/doctor.js'

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))
/** The real server where tests may start one, else the engine that comes with procref. */
const DRIVER = surrealBinary() === undefined ? 'embedded' : 'binary'
export const ROWS = [1, 2, 3]

type Environment = Readonly<Record<string, string>>

export function procref(args: readonly string[], env: Environment = {}): Child {
  return atEnd(startProgram(process.execPath, { args: [PROCREF, ...args], env: { NO_COLOR: '1', ...env } }))
}

export async function finish(child: Child): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

/** What doctor says of the directory, asked in this process: a test asks often. */
export async function doctor(dir: string, options: { readonly fix?: boolean } = {}): Promise<DoctorReport> {
  return await runDoctor({ dir, ...options })
}

export function inWords(report: DoctorReport): string {
  return viewDoctor(report, pc.createColors(false))
}

/** As `doctor`, asked by the command, whose exit code must say the same. */
export async function doctorCommand(
  dir: string,
  { args = [], env = {} }: { readonly args?: readonly string[]; readonly env?: Environment } = {},
): Promise<DoctorReport> {
  const { code, stdout, stderr } = await finish(procref(['doctor', '--dir', dir, '--json', ...args], env))
  expect(stderr).toBe('')
  const report = JSON.parse(stdout) as DoctorReport
  expect(code).toBe(report.healthy ? 0 : 1)
  return report
}

/** `check/code`, sorted: what a report has found. */
function faults({ findings }: Pick<DoctorReport, 'findings'>): readonly string[] {
  return findings.map(({ check, code }) => `${check}/${code}`).sort()
}

let ofMachine: Promise<readonly string[]> | undefined

/** As `faults`, without what this machine brings with it, whatever the directory: no native code, a disk that is nearly full … */
export async function alarms(report: Pick<DoctorReport, 'findings'>): Promise<readonly string[]> {
  ofMachine ??= doctor(join(freshDir(), 'not-there')).then(faults)
  const known = await ofMachine
  return faults(report).filter((fault) => !known.includes(fault))
}

/** A path for a service; whoever is left of it is ended with the test. */
export function serviceDir(): string {
  const dir = join(freshDir(), 'service')
  onTestFinished(async () => await endDirectory(dir))
  return dir
}

/** Starts the server, writes some rows, and stops it. */
export async function makeService(dir: string): Promise<void> {
  const create = ROWS.map((n) => `CREATE row SET n = ${n};`).join(' ')
  expect(
    await finish(procref(['sql', '--dir', dir, '--driver', DRIVER, '--linger', '100ms', '--query', create])),
  ).toMatchObject({ code: 0 })
  await stop(dir)
}

/** The rows that `procref sql` finds, which starts the server if it has to. */
export async function readRows(dir: string): Promise<unknown> {
  const query = 'SELECT VALUE n FROM row ORDER BY n'
  const { code, stdout, stderr } = await finish(procref(['sql', '--dir', dir, '--query', query]))
  expect(`${code} ${stderr}`).toBe('0 ')
  return JSON.parse(stdout)
}

/** Of what a guardian keeps for its stop: `server.json.<nonce>.spare0` … */
const SPARES = 3

/** A server that is kept up until the test ends. */
export async function keepUp(
  dir: string,
  ...args: readonly string[]
): Promise<{ guardianPid: number; serverPid: number; keeperPid: number }> {
  const start = await finish(
    procref(['start', '--dir', dir, '--driver', DRIVER, '--linger', '100ms', '--json', ...args]),
  )
  expect(start).toMatchObject({ code: 0 })
  onTestFinished(async () => void (await stop(dir, '--force')))
  // Made once it serves, while others go on: before that there is less to be found of a guardian that stands still, or was killed.
  await eventually('its guardian has what it keeps for a stop', () => {
    return readdirSync(dir).filter((name) => /^server\.json\..+\.spare\d$/.test(name)).length === SPARES
  })
  const { keeperPid, server } = JSON.parse(start.stdout)
  return { keeperPid, guardianPid: server.guardianPid, serverPid: server.pid }
}

export async function stop(dir: string, ...args: readonly string[]): Promise<void> {
  expect(await finish(procref(['stop', '--dir', dir, ...args]))).toMatchObject({ code: 0 })
}

let template: Promise<string> | undefined
let templateParent: AsyncDisposable | undefined
// Of all tests of a file: it goes with the last.
afterAll(async () => await templateParent?.[Symbol.asyncDispose]())

/** A copy of a directory that was served once and stopped in order, with `ROWS` in its database. */
export async function servedDir(): Promise<string> {
  template ??= makeTemplate()
  const dir = serviceDir()
  execFileSync('cp', ['-a', await template, dir])
  return dir
}

async function makeTemplate(): Promise<string> {
  const parent = makeTempDir()
  templateParent = parent
  const dir = join(parent.path, 'service')
  await makeService(dir)
  // Each copy says that its server was on this port, for as long as the tests run: no program may get it by chance, which doctor would rightly report.
  const path = join(dir, 'server.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), port: await freePort() }))
  return dir
}

export const ELSEWHERE = 'the shop (wss://db.example.com/rpc)'

/** As a program that uses a server elsewhere: it holds a slot of the directory's pool for that, until it is disposed of. */
export async function useElsewhere(dir: string, slots?: number): Promise<AsyncDisposable> {
  const folder = join(dir, 'external')
  const backend = await resolveBackend(undefined, folder)
  const pool = await backend.open(folder, { label: ELSEWHERE, ...(slots !== undefined && { slots }) })
  await pool.claim()
  return pool
}

/** What such a program leaves. */
export async function leaveElsewhere(dir: string, slots?: number): Promise<void> {
  await (await useElsewhere(dir, slots))[Symbol.asyncDispose]()
}

/** What no fix may ever touch, byte for byte. */
export function dataOf(dir: string): string {
  const hash = createHash('sha256')
  for (const path of ['data/db', 'data/credentials.json', 'data/engine.json'])
    for (const line of describeTree(join(dir, path))) hash.update(line)
  return hash.digest('hex')
}

/** Every file below `path`: kind, mode, owner, time of change, content. Of directories not the time: a look may make a file for a moment. */
export function describeTree(path: string): readonly string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return [`${path} missing`]
  const head = `${path} ${stat.mode.toString(8)} ${stat.uid}`
  if (stat.isSymbolicLink()) return [`${head} → ${readlinkSync(path)}`]
  if (stat.isDirectory())
    return [
      head,
      ...readdirSync(path)
        .sort()
        .flatMap((name) => describeTree(join(path, name))),
    ]
  if (!stat.isFile()) return [head]
  const content = createHash('sha256').update(readFileSync(path)).digest('hex')
  return [`${head} ${stat.mtimeMs} ${content}`]
}

/** A directory in which slots were claimed, and no server was ever started. */
export async function slotsOnlyDir(): Promise<string> {
  const dir = serviceDir()
  mkdirSync(dir, { mode: 0o700 })
  expect(await finish(procref(['slot', 'try', '--dir', dir]))).toMatchObject({ code: 0 })
  return dir
}
