import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
} from 'node:fs'
import {
  asOtherUser,
  atEnd,
  type Child,
  endDirectory,
  eventually,
  freeze,
  freshDir,
  isAlive,
  isRoot,
  lockUsers,
  mountTmpfs,
  otherUser,
  servantsOf,
  startChild,
  staysTrue,
  surrealBinary,
  testsInTurn,
  whoListensOn,
} from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  clientsOf,
  connected,
  connectedWithin,
  counted,
  DRIVERS,
  journalOf,
  killed,
  nothingIsLeft,
  serviceDir,
  startStranger,
  startStrangerApart,
  stateOf,
  stopped,
  wroteRow,
} from './service.ts'

if (!isRoot()) console.warn('NOT RUN without root: full disks, read-only file systems, other users’ directories')

describe.each(DRIVERS)('a port that somebody else has (%s)', (driver) => {
  const start = clientsOf(driver)
  const testInTurn = testsInTurn(test, driver, DRIVERS)

  testInTurn(
    'asked for and taken before the start: refused by name, the slot is free again, the stranger hears nothing',
    async () => {
      const dir = serviceDir()
      const stranger = await startStrangerApart()
      await expect(connected(start(dir, { port: stranger.port }))).rejects.toThrow(
        new RegExp(`127\\.0\\.0\\.1:${stranger.port}.*PROCREF_PORT_TAKEN`, 's'),
      )
      expect(stranger.heard()).toBe('')
      await eventually('its slot is free and its guardian gone', () => lockUsers(dir).length === 0)
      await stranger.close()
      expect(await connected(start(dir, { port: stranger.port }))).toMatchObject({ port: stranger.port })
    },
  )

  testInTurn(
    'known from the last run and taken meanwhile: the service takes another one, the stranger hears nothing',
    async () => {
      const dir = serviceDir()
      const first = start(dir)
      const { port } = await connected(first)
      await wroteRow(first)
      await killed(first)
      await stopped(dir, port)
      const stranger = await startStranger(port)
      const next = start(dir)
      const { port: other, epoch } = await connected(next)
      expect(other).not.toBe(port)
      expect(epoch).toBe(2)
      expect(await counted(next)).toBe(1)
      expect(stranger.heard()).toBe('')
    },
  )
})

describe.runIf(surrealBinary() !== undefined)('a server that is told to die from outside (binary)', () => {
  const start = clientsOf('binary')

  test('while a long query runs: a stranger on its port hears nothing, and the clients are back with every row', async () => {
    const dir = serviceDir()
    const client = start(dir)
    const other = start(dir)
    const { serverPid, guardianPid, port } = await connected(client)
    await connected(other)
    await wroteRow(client)
    other.send('sleep')
    await other.event('sleeping')
    // Or it might have finished the stop, and have the port again, before the stranger.
    await freeze(guardianPid)
    process.kill(serverPid, 'SIGTERM')
    await eventually('its listener is gone', () => whoListensOn(port).length === 0)
    expect(isAlive(serverPid)).toBe(true)
    const stranger = await startStranger(port)
    process.kill(guardianPid, 'SIGCONT')
    const back = await client.event<{ epoch: number; port: number }>('reconnected')
    expect(back.epoch).toBe(2)
    expect(back.port).not.toBe(port)
    expect(await counted(client)).toBe(1)
    expect(isAlive(serverPid)).toBe(false)
    expect(stranger.heard()).toBe('')
  })
})

describe.runIf(isRoot()).each(DRIVERS)('a disk that is full (%s)', (driver) => {
  const start = clientsOf(driver)
  const testInTurn = testsInTurn(test, driver, DRIVERS)
  /** The guardian looks every 5 s, waits 10 s for an answer, and up to 15 s for the server to stop. */
  const HEALED_MS = 120_000

  testInTurn(
    'before the start: an error that says so, nothing runs on, and the next connect() works once there is space',
    async () => {
      const { dir, fill, free } = smallDisk()
      mkdirSync(dir, { mode: 0o700 })
      fill()
      await expect(connected(start(dir))).rejects.toThrow(/ENOSPC|no space left|disk.*full/i)
      await nothingIsLeft(dir)
      free()
      await connected(start(dir))
    },
  )

  testInTurn(
    'when the last client has gone: the server is stopped in order, with the space kept for that',
    async () => {
      const { dir, fill, free } = smallDisk()
      const client = start(dir)
      const { port } = await connected(client)
      await wroteRow(client)
      await eventually('space is kept', () => spareFiles(dir).length === 3)
      fill()
      await killed(client)
      await nothingIsLeft(dir, port)
      expect(stateOf(dir).state).toBe('stopped')
      free()
      const next = start(dir)
      await connected(next)
      expect(await counted(next)).toBe(1)
    },
  )

  testInTurn(
    'when the last client has gone and no space is kept: no write, no act; the server stops once there is space',
    async () => {
      const { dir, fill, free } = smallDisk()
      const client = start(dir, { lingerMs: 0 })
      const { serverPid, port } = await connected(client)
      await wroteRow(client)
      const spares = await eventually('space is kept', () => spareFiles(dir).length === 3 && spareFiles(dir))
      for (const spare of spares) rmSync(`${dir}/${spare}`)
      fill()
      await killed(client)
      // It looks twice a second, and nothing tells that it has.
      await staysTrue(3_000, () => {
        expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 1 })
        expect(isAlive(serverPid)).toBe(true)
      })
      free()
      await stopped(dir, port)
      await nothingIsLeft(dir)
      const next = start(dir)
      await connected(next)
      expect(await counted(next)).toBe(1)
    },
  )

  testInTurn(
    'when the server is killed: nothing is damaged, and with space the service is back, or a new connect() brings it back',
    async () => {
      const { dir, fill, free } = smallDisk()
      const client = start(dir)
      const { serverPid } = await connected(client)
      await wroteRow(client)
      fill()
      process.kill(serverPid, 'SIGKILL')
      await eventually('the server is dead', () => !isAlive(serverPid))
      // They try to bring it back, and fail; whatever they write, whoever looks finds a whole record.
      await staysTrue(2_000, () => stateOf(dir))
      free()
      const outcome = await Promise.race([
        client.event('reconnected'),
        client.event<{ code: string; text: string }>('lost'),
      ])
      if (outcome.event === 'lost') expect(outcome.text).toMatch(/ENOSPC|no space left|disk/i)
      const next = start(dir)
      await connected(next)
      expect(await counted(next)).toBe(1)
    },
  )

  describe.each(['rocksdb', 'surrealkv'])('under clients that write (%s)', (storage) => {
    /** Writes rows, one for each call; whatever was acknowledged has to be there. */
    function writer(client: Child): {
      readonly acknowledged: readonly number[]
      write(): Promise<string | undefined>
      found(): Promise<readonly number[]>
    } {
      const acknowledged: number[] = []
      return {
        acknowledged,
        async write() {
          client.send('tryRow')
          const { n, refused } = await client.event<{ n: number; refused?: string }>('tried', HEALED_MS)
          if (refused === undefined) acknowledged.push(n)
          return refused
        },
        async found() {
          client.send('tried')
          return (await client.event<{ rows: number[] }>('found')).rows
        },
      }
    }

    test('once there is space everybody writes again on the same leases, and every acknowledged row is there', {
      timeout: 4 * HEALED_MS,
    }, async () => {
      const { dir, fill, free } = smallDisk()
      const client = start(dir, { storage })
      await connected(client)
      const { acknowledged, write, found } = writer(client)
      for (let n = 0; n < 10; n++) expect(await write()).toBeUndefined()
      fill()
      // What it has room for in files that it has already is written all the same.
      expect(await eventually('a write is refused', write)).toMatch(/no space/i)
      // Who only reads is served.
      await found()
      free()
      // RocksDB refuses every write until its database is opened anew; one that the engine's SurrealKV does not answer is sent again then.
      await eventually('a write is done', async () => (await write()) === undefined, HEALED_MS)
      expect(await found()).toEqual(expect.arrayContaining([...acknowledged]))
      // The executable's SurrealKV goes on by itself, and is replaced all the same.
      await eventually(
        'the server was replaced',
        () => stateOf(dir).epoch === 2 && stateOf(dir).state === 'serving',
        HEALED_MS,
      )
      const why = journalOf(dir).map(({ event, reason }) => `${event} ${reason}`)
      expect(why).toContain('server-stopping writes-refused')
      client.send('close')
      await client.event('closed')
      await nothingIsLeft(dir)
      expect(stateOf(dir).state).toBe('stopped')
    })

    testInTurn(
      'a server that is killed is not started before there is space: its log is torn, and whoever repairs it on a full disk loses what was acknowledged',
      {
        timeout: 4 * HEALED_MS,
      },
      async () => {
        const { dir, fill, free } = smallDisk()
        const client = start(dir, { storage })
        const { serverPid, port } = await connected(client)
        const { acknowledged, write } = writer(client)
        for (let n = 0; n < 200; n++) expect(await write()).toBeUndefined()
        fill()
        await eventually('a write is refused', write)
        process.kill(serverPid, 'SIGKILL')
        await eventually('the server is dead', () => !isAlive(serverPid))
        // In which somebody tries again and again.
        await staysTrue(5_000, () => expect(whoListensOn(port)).toEqual([]))
        free()
        // The first lease may have been given up meanwhile; what counts is what is there.
        await killed(client)
        const next = start(dir, { storage })
        await connectedWithin(HEALED_MS, next)
        expect(await writer(next).found()).toEqual(expect.arrayContaining([...acknowledged]))
      },
    )
  })

  testInTurn('when the guardian is told to end: it stops the server in order all the same', async () => {
    const { dir, fill, free } = smallDisk()
    const client = start(dir, { lingerMs: 100_000 })
    const { guardianPid, serverPid, port } = await connected(client)
    await wroteRow(client)
    await killed(client)
    fill()
    process.kill(guardianPid, 'SIGTERM')
    await eventually('both have ended', () => !isAlive(guardianPid) && !isAlive(serverPid))
    expect(whoListensOn(port)).toEqual([])
    free()
    const next = start(dir)
    await connected(next)
    expect(await counted(next)).toBe(1)
  })

  /** What the guardian keeps so that it can write that it stops. */
  function spareFiles(dir: string): readonly string[] {
    return readdirSync(dir).filter((name) => /^server\.json\..*\.spare\d$/.test(name))
  }
})

describe('a directory that cannot be used', () => {
  const start = clientsOf('embedded')

  test.runIf(isRoot()).each([
    ['read-only to its user', (dir: string) => chmodSync(dir, 0o500), /EACCES|permission denied/i],
    ['another user’s', (dir: string) => chownSync(dir, 0, 0), /PROCREF_UNSAFE_DIRECTORY|EACCES/],
  ])('is refused with its path, and nothing in it is changed: %s', async (_what, spoil, message) => {
    const parent = freshDir({ mode: 0o755 })
    const dir = `${parent}/service`
    mkdirSync(dir, { mode: 0o700 })
    chownSync(dir, otherUser.uid, otherUser.gid)
    spoil(dir)
    const before = tree(parent)
    const client = clientAs(asOtherUser(), dir)
    const error = await connected(client).then(
      () => 'connected',
      (reason: Error) => reason.message,
    )
    expect(error).toMatch(message)
    expect(error).toContain(dir)
    expect(tree(parent)).toEqual(before)
  })

  test.runIf(isRoot())('root in a user’s directory is refused, and leaves no file of its own', async () => {
    const parent = freshDir({ mode: 0o755 })
    const dir = `${parent}/service`
    mkdirSync(dir, { mode: 0o700 })
    chownSync(dir, otherUser.uid, otherUser.gid)
    const before = tree(parent)
    await expect(connected(start(dir))).rejects.toThrow(new RegExp(`${dir}.*PROCREF_UNSAFE_DIRECTORY`, 's'))
    expect(tree(parent)).toEqual(before)
  })

  test.each(['the root', 'slots', 'data'])('a symbolic link is not followed: %s', async (what) => {
    const parent = freshDir()
    const dir = `${parent}/service`
    const elsewhere = `${parent}/elsewhere`
    mkdirSync(elsewhere, { mode: 0o700 })
    if (what !== 'the root') mkdirSync(dir, { mode: 0o700 })
    symlinkSync(elsewhere, what === 'the root' ? dir : `${dir}/${what}`)
    await expect(connected(start(dir))).rejects.toThrow(new RegExp(`${dir}.*PROCREF_UNSAFE`, 's'))
    expect(readdirSync(elsewhere)).toEqual([])
    await eventually('nothing runs on', () => servantsOf(dir).length === 0)
  })

  test.runIf(isRoot())('a file system that is read-only is refused with its path', async () => {
    const { dir, remount } = smallDisk()
    mkdirSync(dir, { mode: 0o700 })
    remount('ro')
    await expect(connected(start(dir))).rejects.toThrow(new RegExp(`${dir}.*EROFS.*PROCREF_READ_ONLY`, 's'))
  })

  test.each([
    ['HOME is empty', { HOME: '' }],
    ['HOME is relative', { HOME: 'here' }],
  ])('no place for it is an error that says what to set: %s', async (_what, env) => {
    const cwd = freshDir()
    const client = atEnd(
      startChild(new URL('./children/client.mjs', import.meta.url), {
        args: ['', JSON.stringify({ driver: 'embedded' })],
        env: { ...env, PROCREF_DIR: undefined },
        cwd,
      }),
    )
    await expect(connected(client)).rejects.toThrow(/PROCREF_DIR.*PROCREF_HOME_UNKNOWN/s)
    expect(readdirSync(cwd)).toEqual([])
  })

  test.runIf(isRoot())('HOME unset for a user whose home is nowhere: an error with the path', async () => {
    const { env, ...user } = asOtherUser()
    const client = clientAs({ ...user, env: { ...env, PROCREF_DIR: undefined } }, '')
    await expect(connected(client)).rejects.toThrow(new RegExp(`(ENOENT|EACCES).*${homeOf(user.uid)}/\\.procref`))
  })

  /** As the system's list of users says. */
  function homeOf(uid: number): string {
    const users = readFileSync('/etc/passwd', 'utf8').split('\n')
    const user = users.map((line) => line.split(':')).find(([, , id]) => id === String(uid))
    return user?.[5] ?? expect.unreachable()
  }

  function clientAs(user: Partial<ReturnType<typeof asOtherUser>>, dir: string): Child {
    const options = JSON.stringify({ driver: 'embedded' })
    return atEnd(startChild(new URL('./children/client.mjs', import.meta.url), { ...user, args: [dir, options] }))
  }
})

/** What a listing shows of everything below a directory. */
function tree(dir: string): readonly string[] {
  return ['.', ...readdirSync(dir, { recursive: true }).map(String)].sort().map((name) => {
    const { mode, uid, gid, size } = lstatSync(`${dir}/${name}`)
    return `${name} ${mode.toString(8)} ${uid}:${gid} ${size}`
  })
}

interface SmallDisk {
  /** A directory on it that does not exist yet. */
  readonly dir: string
  fill(): void
  free(): void
  remount(how: 'ro' | 'rw'): void
}

/** Who lives on a disk frees a block, or takes one, while it is filled. */
const MOST_FILLINGS = 100

/** A file system of its own with room for a small database. */
function smallDisk(): SmallDisk {
  const mount = atEnd(mountTmpfs({ bytes: 64 * 1024 * 1024 })).path
  const dir = `${mount}/service`
  const ballast = `${mount}/ballast`
  onTestFinished(async () => {
    await endDirectory(dir)
  })
  return {
    dir,
    fill() {
      for (let tries = 0; tries < MOST_FILLINGS; tries++) {
        const { bavail, bsize } = statfsSync(mount)
        // It was full: what is freed right afterwards is nobody's fault.
        if (bavail === 0) return
        try {
          appendFileSync(ballast, Buffer.alloc(bavail * bsize))
        } catch (error) {
          // Who lives there was faster with the last block.
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
      }
      expect.unreachable(`the disk was not full after it was filled ${MOST_FILLINGS} times`)
    },
    free: () => rmSync(ballast),
    remount: (how) => void execFileSync('mount', ['-o', `remount,${how}`, mount]),
  }
}
