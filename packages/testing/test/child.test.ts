import { readdirSync } from 'node:fs'
import { atEnd, eventually, freeze, isAlive, mustBlock, startChild, startProgram, zombies } from '@procref/testing'
import { expect, test } from 'vitest'

const obedient = new URL('./children/obedient.mjs', import.meta.url)

test('events are taken by name, in order, whenever they came', async () => {
  const child = atEnd(startChild(obedient, { args: ['/dev/null'] }))
  child.send('open')
  child.send('open')
  const first = await child.event<{ fd: number }>('opened')
  const second = await child.event<{ fd: number }>('opened')
  expect(second.fd).toBeGreaterThan(first.fd)
  await child.event('ready')
})

test('lines that are no events are read apart', async () => {
  const child = atEnd(startChild(obedient))
  child.send('text')
  expect(await child.line()).toBe('plain text')
  expect(await child.line()).toBe('{"slot":3}')
  await child.event('ready')
})

test('a failure in the child rejects the wait, with its message', async () => {
  const child = atEnd(startChild(obedient))
  child.send('crash')
  await expect(child.event('never')).rejects.toThrow('on purpose')
  expect(await child.event('failed')).toMatchObject({ code: 'ON_PURPOSE', message: 'on purpose' })
})

test('an unknown word is a failure', async () => {
  const child = atEnd(startChild(obedient))
  child.send('dance')
  await expect(child.event('never')).rejects.toThrow('does not know the word \\"dance\\"')
})

test('a child that ends rejects the waits for its events, and its end is seen', async () => {
  const child = atEnd(startChild(obedient))
  const never = child.event('never')
  child.send('leave')
  await expect(never).rejects.toThrow('ended with exit code 7')
  expect(await child.exited).toEqual({ code: 7, signal: null })
})

test('a program that cannot be started rejects', async () => {
  const child = atEnd(startProgram('/nonexistent/program'))
  await expect(child.exited).rejects.toThrow('ENOENT')
  await expect(child.event('ready')).rejects.toThrow('could not be started')
})

test('disposing ends a stopped child and leaves no zombie and no descriptor', async () => {
  // The first freeze starts a watcher, whose pipe stays.
  await disposedWhileStopped()
  const before = readdirSync('/proc/self/fd').length
  const pid = await disposedWhileStopped()
  expect(isAlive(pid)).toBe(false)
  expect(zombies(process.pid).map((zombie) => zombie.pid)).not.toContain(pid)
  await eventually('its pipes are closed', () => readdirSync('/proc/self/fd').length <= before)
})

async function disposedWhileStopped(): Promise<number> {
  const child = startChild(obedient)
  await child.event('ready')
  await freeze(child.pid)
  await child[Symbol.asyncDispose]()
  return child.pid
}

test('disposing does not wait for a grandchild that keeps the pipes', async () => {
  const child = startProgram('sh', { args: ['-c', 'sleep 300 & echo $!; exec sleep 300'] })
  const grandchild = Number(await child.line())
  await child[Symbol.asyncDispose]()
  expect(isAlive(child.pid)).toBe(false)
  process.kill(grandchild, 'SIGKILL')
})

test('a child ends when its standard input does', async () => {
  const child = atEnd(startChild(obedient))
  child.end()
  expect(await child.exited).toEqual({ code: 0, signal: null })
})

test('environment: added to ours, taken out, or bare', async () => {
  const print = ['-e', 'console.log(JSON.stringify([process.env.PATH !== undefined, process.env.A ?? null]))']
  const added = atEnd(startProgram(process.execPath, { args: print, env: { A: '1' } }))
  expect(await added.line()).toBe('[true,"1"]')
  const without = atEnd(startProgram(process.execPath, { args: print, env: { PATH: undefined } }))
  expect(await without.line()).toBe('[false,null]')
  const bare = atEnd(startProgram(process.execPath, { args: print, env: { A: '2' }, bareEnv: 'bare' }))
  expect(await bare.line()).toBe('[false,"2"]')
})

test('mustBlock tells what blocks from what does not', async () => {
  let finish = (_value: number): void => {}
  const pending = new Promise<number>((resolve) => {
    finish = resolve
  })
  const finishes = await mustBlock('the wait', pending)
  finish(5)
  expect(await finishes()).toBe(5)
  await expect(mustBlock('nothing', Promise.resolve())).rejects.toThrow('nothing did not block')
})

test('eventually returns what was seen, and gives up with its own words', async () => {
  let looks = 0
  expect(await eventually('the third look', () => ++looks === 3 && 'seen')).toBe('seen')
  await expect(eventually('the impossible', () => false, 20)).rejects.toThrow('the impossible: not seen within 20 ms')
})
