import { setMaxListeners } from 'node:events'
import { readdirSync } from 'node:fs'
import { PosixSemaphore } from '@procref/native'
import { atEnd, eventually, HANGS_MS, mustBlock, startChild, within } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { describeNative } from './native-built.ts'

const TAKER = new URL('./children/permit-taker.mjs', import.meta.url)

function make(permits: number): PosixSemaphore {
  const semaphore = PosixSemaphore.create({ permits })
  onTestFinished(() => {
    semaphore.close()
    PosixSemaphore.unlink(semaphore.name)
  })
  return semaphore
}

async function allOf(waits: readonly Promise<unknown>[]): Promise<void> {
  await Promise.all(waits)
}

describeNative('PosixSemaphore', () => {
  test('permits are counted, and can be made up', () => {
    const semaphore = make(2)
    expect([semaphore.tryWait(), semaphore.tryWait(), semaphore.tryWait()]).toEqual([true, true, false])
    expect(semaphore.value()).toBe(0)
    for (let i = 0; i < 3; i++) semaphore.post()
    expect(semaphore.value()).toBe(3)
  })

  test('the permit of a killed process is lost for good, until somebody posts for it', async () => {
    const semaphore = make(1)
    const taker = atEnd(startChild(TAKER, { args: [semaphore.name] }))
    expect((await taker.event('taken')).taken).toBe(true)
    taker.kill('SIGKILL')
    await taker.exited
    expect(semaphore.tryWait()).toBe(false)
    expect(semaphore.value()).toBe(0)
    semaphore.post()
    expect(semaphore.tryWait()).toBe(true)
  })

  test('a permit is handed to a waiter when somebody posts, also from another process, and to one waiter each', async () => {
    const semaphore = make(0)
    let taken = 0
    const waits = Array.from({ length: 5 }, () => semaphore.wait().then(() => taken++))
    const first = await mustBlock('wait()', Promise.race(waits))
    semaphore.post()
    await first()
    await mustBlock('wait() of the others', allOf(waits))
    expect(taken).toBe(1)
    const poster = atEnd(startChild(TAKER, { args: [semaphore.name] }))
    await poster.event('taken')
    for (let n = 0; n < 4; n++) poster.send('post')
    await within('all have one', allOf(waits))
    expect(semaphore.value()).toBe(0)
  })

  test('a wait that is called off while somebody posts has the permit or gives it back, never both', async () => {
    const semaphore = make(0)
    const ends = { taken: 0, calledOff: 0 }
    for (let n = 0; n < 300; n++) {
      const controller = new AbortController()
      const wait = semaphore.wait({ signal: controller.signal })
      semaphore.post()
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
      controller.abort(n)
      try {
        await wait
        ends.taken++
      } catch (error) {
        expect(error).toBe(n)
        ends.calledOff++
        expect(semaphore.tryWait(), 'the permit is lost').toBe(true)
      }
      expect(semaphore.value()).toBe(0)
    }
    expect(ends.taken + ends.calledOff).toBe(300)
    expect(ends.calledOff).toBeGreaterThan(0)
    await expect(semaphore.wait({ signal: AbortSignal.abort('before') })).rejects.toBe('before')
  })

  test('a wait goes on after close(), and gives back through it what comes while it is called off', async () => {
    const semaphore = make(0)
    const other = PosixSemaphore.open(semaphore.name, { permits: 0 })
    const wait = other.wait()
    const controller = new AbortController()
    const calledOff = other.wait({ signal: controller.signal })
    other.close()
    await expect(other.wait()).rejects.toMatchObject({ code: 'CLOSED' })
    const finishes = await mustBlock('wait()', wait)
    semaphore.post()
    semaphore.post()
    controller.abort('called off')
    const [ended] = await Promise.allSettled([calledOff])
    await finishes()
    expect(semaphore.value()).toBe(ended?.status === 'rejected' ? 1 : 0)
  })

  test('the waits of a killed process take nothing with them', async () => {
    const semaphore = make(0)
    const waiter = atEnd(startChild(TAKER, { args: [semaphore.name] }))
    await waiter.event('taken')
    waiter.send('wait')
    await waiter.event('waits')
    waiter.kill('SIGKILL')
    await waiter.exited
    semaphore.post()
    await within('the permit', semaphore.wait())
  })

  test('a process that only waits ends by itself', async () => {
    const semaphore = make(0)
    const waiter = atEnd(startChild(TAKER, { args: [semaphore.name, 'only waits'] }))
    await waiter.event('waits')
    expect(await within('the end', waiter.exited)).toEqual({ code: 0, signal: null })
  })

  test.runIf(process.platform === 'linux')(
    'a thousand waits at once that are called off leave no thread, descriptor or permit behind',
    { timeout: 2 * HANGS_MS },
    async () => {
      const semaphore = make(0)
      const count = (what: string): number => readdirSync(`/proc/self/${what}`).length
      const round = async (): Promise<number> => {
        const threads = count('task')
        const controller = new AbortController()
        const { signal } = controller
        setMaxListeners(0, signal)
        const waits = Array.from({ length: 1000 }, () => semaphore.wait({ signal }))
        expect(count('task')).toBeGreaterThanOrEqual(threads + 1000)
        controller.abort('called off')
        const ended = await Promise.allSettled(waits)
        // The thread that sends the signals ends a moment later.
        await eventually('the threads have ended', () => count('task') <= threads)
        return ended.filter((end) => end.status === 'rejected' && end.reason === 'called off').length
      }
      expect(await round()).toBe(1000)
      const fds = count('fd')
      for (let n = 0; n < 3; n++) expect(await round()).toBe(1000)
      expect(count('fd')).toBe(fds)
      semaphore.post()
      expect([semaphore.tryWait(), semaphore.tryWait()]).toEqual([true, false])
    },
  )

  test('a name is made once, opened by everybody, and free after unlink()', () => {
    const semaphore = make(1)
    const { name } = semaphore
    expect(() => PosixSemaphore.create({ name, permits: 1 })).toThrow(
      expect.objectContaining({ code: 'EEXIST', syscall: 'sem_open', path: name }),
    )
    using again = PosixSemaphore.open(name, { permits: 7 })
    expect(again.value()).toBe(1)
    expect([PosixSemaphore.unlink(name), PosixSemaphore.unlink(name)]).toEqual([true, false])
    using anew = PosixSemaphore.create({ name, permits: 3 })
    expect([anew.value(), semaphore.value()]).toEqual([3, 1])
  })

  test('a closed semaphore refuses, and closing it twice or with a permit changes nothing', () => {
    const semaphore = make(1)
    const other = PosixSemaphore.open(semaphore.name, { permits: 1 })
    expect(other.tryWait()).toBe(true)
    other.close()
    other.close()
    expect(() => other.tryWait()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    expect(semaphore.tryWait()).toBe(false)
  })

  test('bad names and numbers are refused', () => {
    for (const name of ['', '/', 'name', '/a/b']) {
      expect(() => PosixSemaphore.open(name, { permits: 1 }), name).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
    for (const permits of [-1, 0.5, 2 ** 31, Number.NaN]) {
      expect(() => PosixSemaphore.create({ permits }), String(permits)).toThrow(TypeError)
    }
  })
})
