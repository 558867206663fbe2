import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  atEnd,
  type Child,
  type ChildOptions,
  endDirectory,
  eventually,
  freeze,
  freshDir,
  isAlive,
  startProgram,
  surrealBinary,
} from '@procref/testing'
import { connect, type DriverName, type Lease } from 'procref'
import { onTestFinished } from 'vitest'

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))

/** The servers there are here; `surrealBinary()` says loudly if the real one is not among them. */
export const KINDS: readonly DriverName[] = surrealBinary() === undefined ? ['embedded'] : ['embedded', 'binary']

/** From which to which. */
export const WAYS: readonly (readonly [DriverName, DriverName])[] = KINDS.flatMap((from) =>
  KINDS.filter((to) => KINDS.length === 1 || from !== to).map((to) => [from, to] as const),
)

export function procref(args: readonly string[], options: ChildOptions = {}): Child {
  return atEnd(
    startProgram(process.execPath, { ...options, args: [PROCREF, ...args], env: { NO_COLOR: '1', ...options.env } }),
  )
}

export async function finish(child: Child): Promise<{ code: number | null; stdout: string; stderr: string }> {
  child.end()
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

/** A service's directory that nobody has used. */
export function serviceDir(): string {
  const dir = join(freshDir(), 'service')
  onTestFinished(async () => {
    await endDirectory(dir)
    rmSync(dir, { recursive: true, force: true })
  })
  return dir
}

/** A folder for what is written, empty. */
export function outputDir(): string {
  const dir = join(freshDir(), 'output')
  mkdirSync(dir)
  return dir
}

/** A lease that ends with the test. */
export async function lease(
  dir: string,
  driver: DriverName,
  selected: { readonly namespace?: string; readonly database?: string } = {},
): Promise<Lease> {
  return atEnd(await connect({ dir, driver, lingerMs: 300, ...selected }))
}

export const LARGE_ROWS = 20_000
/** About 20 MB: more than what is on its way between two processes, by far. */
export async function fillLarge({ db }: Lease): Promise<void> {
  const text = 'x'.repeat(1_000)
  for (let from = 0; from < LARGE_ROWS; from += 5_000) {
    await db.query('FOR $i IN $from..$to { CREATE type::record("row", $i) SET n = $i, text = $text }', {
      from,
      to: from + 5_000,
      text,
    })
  }
}

const LARGE_BYTES = LARGE_ROWS * 1_000
const MAX_TRIES = 20

/**
 * A command that writes what `fillLarge` made into the folder `out`, as it stands still (SIGSTOP) before half of that is written. `inPart`: where
 * it is written, if what is unfinished is a folder.
 *
 * One that is beyond that when it stands still is of no use, for whoever watches it may lose the processor for longer than it takes: the folder
 * is emptied, and another one started.
 */
export async function frozenHalfway(out: string, start: () => Child, inPart = ''): Promise<Child> {
  const written = (): number => {
    const parts = namesIn(out).filter((name) => name.endsWith('.part'))
    // It may get its name in between.
    return Math.max(0, ...parts.map((name) => statSync(join(out, name, inPart), { throwIfNoEntry: false })?.size ?? 0))
  }
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const child = start()
    await eventually('it has begun, or ended', () => written() > 0 || !isAlive(child.pid))
    if ((await standsStill(child)) && written() > 0 && written() < LARGE_BYTES / 2) return child
    child.kill('SIGKILL')
    const { code, signal } = await child.exited
    if (signal === null && code !== 0) throw new Error(`it failed: ${child.stderr()}`)
    for (const name of namesIn(out)) rmSync(join(out, name), { recursive: true })
  }
  throw new Error(`${MAX_TRIES} times it was beyond its half before it stood still`)
}

/** False: it ended before. */
async function standsStill(child: Child): Promise<boolean> {
  try {
    await freeze(child.pid)
    return true
  } catch (error) {
    if (isAlive(child.pid)) throw error
    return false
  }
}

/** All that is in a database, to compare. */
export async function contentsOf({ db }: Lease): Promise<unknown> {
  const [information] =
    await db.query<[{ tables: object; functions: object; params: object; users: object }]>('INFO FOR DB')
  const tables: Record<string, unknown> = {}
  for (const table of Object.keys(information.tables).sort()) {
    const name = `\`${table.replace(/[\\`]/g, '\\$&')}\``
    const [structure, rows] = await db.query<[{ fields: object; indexes: object; events: object }, unknown[]]>(
      `INFO FOR TABLE ${name}; SELECT * FROM ${name}`,
    )
    const { fields, indexes, events } = structure
    tables[table] = { fields: Object.keys(fields), indexes: Object.keys(indexes), events: Object.keys(events), rows }
  }
  const { functions, params, users } = information
  return { tables, functions: Object.keys(functions), params: Object.keys(params), users: Object.keys(users) }
}

/** Names in a folder. */
export function namesIn(dir: string): readonly string[] {
  return readdirSync(dir).sort()
}

export const CONTENT = `
  DEFINE FUNCTION fn::twice($n: int) -> int { RETURN $n * 2; };
  DEFINE PARAM $limit VALUE { of: [1, 'a;b'] };
  DEFINE USER reader ON DATABASE PASSWORD 'secret' ROLES VIEWER;
  DEFINE TABLE person SCHEMAFULL;
  DEFINE FIELD name ON person TYPE string ASSERT $value != 'nobody';
  DEFINE FIELD born ON person TYPE datetime;
  DEFINE INDEX by_name ON person FIELDS name UNIQUE;
  DEFINE EVENT counted ON person WHEN $event = 'CREATE' THEN { UPSERT counter:persons SET n += 1; };
  DEFINE TABLE knows TYPE RELATION FROM person TO person;
  CREATE person:ada SET name = "Ada; -- 'x' \\n ü 🎉", born = d'1815-12-10T00:00:00.123456789Z';
  CREATE person:bob SET name = 'Bob', born = d'1969-12-31T23:59:59Z';
  RELATE person:ada->knows->person:bob SET since = 1dec, ago = 1w2d;
  CREATE \`we ird\`:[1, 'x'] SET v = [NONE, NULL, 1.0, 9223372036854775807, u'018e0000-0000-7000-8000-000000000000', <bytes>'ab'];
  DEFINE TABLE zz_empty;
`
