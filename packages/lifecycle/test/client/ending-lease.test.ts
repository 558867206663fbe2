import { expect, test } from 'vitest'
// Not part of the public interface.
import { EndingLease } from '../../dist/client/ending-lease.js'
import { uncaughtException } from './uncaught-exception.ts'

/** A lease that says what happens to it, in its order. */
class SayingLease extends EndingLease<string> {
  readonly said: string[] = []

  constructor() {
    super('/the/directory')
    this.lost.addEventListener('abort', () => this.said.push(`lost: ${this.lost.reason}`))
    this.ended.addEventListener('abort', () => this.said.push(`ended: ${this.ended.reason.code}`))
    this.onReconnect(({ epoch, server }) => this.said.push(`reconnected: ${server} ${epoch}`))
  }

  reconnect(epoch: number): void {
    this.announce({ epoch, server: 'the server' })
  }

  protected override async release(): Promise<void> {
    this.said.push('released')
  }
}

test('a lease that is lost says why, then that it is over, then gives back what it has: once, whatever ends it again', async () => {
  const lease = new SayingLease()
  lease.reconnect(2)
  lease.lose('the reason')
  lease.lose('another one')
  await Promise.all([lease.close(), lease[Symbol.asyncDispose]()])
  lease.reconnect(3)
  expect(lease.said).toEqual(['reconnected: the server 2', 'lost: the reason', 'ended: PROCREF_LEASE_LOST', 'released'])
})

test('a lease that is closed is not lost, whatever happens to it later', async () => {
  const lease = new SayingLease()
  await lease.close()
  lease.lose('too late')
  expect(lease.said).toEqual(['ended: PROCREF_LEASE_LOST', 'released'])
  expect(lease.lost.aborted).toBe(false)
})

test('a listener that was taken away is not called', () => {
  const lease = new SayingLease()
  const stop = lease.onReconnect(() => lease.said.push('the other listener'))
  lease.reconnect(2)
  stop()
  lease.reconnect(3)
  expect(lease.said).toEqual(['reconnected: the server 2', 'the other listener', 'reconnected: the server 3'])
})

test('a listener that throws keeps neither the lease nor the other listeners from going on: the program hears of it as of any other mistake', async () => {
  const lease = new SayingLease()
  const mistake = new Error('a mistake of the program')
  lease.onReconnect(() => {
    throw mistake
  })
  lease.onReconnect(() => lease.said.push('the last listener'))
  const uncaught = uncaughtException()
  lease.reconnect(2)
  expect(await uncaught).toBe(mistake)
  expect(lease.said).toEqual(['reconnected: the server 2', 'the last listener'])
})

test('a listener that takes itself away and comes back is called once for each reconnection', () => {
  const lease = new SayingLease()
  let calls = 0
  const again = (): void => {
    stop()
    // Else it would go on for ever.
    if (++calls < 10) stop = lease.onReconnect(again)
  }
  let stop = lease.onReconnect(again)
  lease.reconnect(2)
  expect(calls).toBe(1)
  lease.reconnect(3)
  expect(calls).toBe(2)
})

test('a listener that closes the lease is the last one that is told', async () => {
  const lease = new SayingLease()
  lease.onReconnect(() => void lease.close())
  lease.onReconnect(() => lease.said.push('told of a lease that is over'))
  lease.reconnect(2)
  await lease.close()
  expect(lease.said).toEqual(['reconnected: the server 2', 'ended: PROCREF_LEASE_LOST', 'released'])
})
