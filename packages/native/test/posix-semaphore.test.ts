import { PosixSemaphore } from '@procref/native'
import { atEnd, startChild } from '@procref/testing'
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
