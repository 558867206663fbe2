import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Experiment } from '../experiment.ts'
import { overEach } from './over-each.ts'
import { patienceOf, spelled } from './patience.ts'
import type { ReuseOrder, ReuseSeen } from './pid-reuse-main.ts'

const MAIN = fileURLToPath(new URL('./pid-reuse-main.js', import.meta.url))

export const pidReuse: Experiment = {
  name: 'pid-reuse',
  title: 'The holder dies, and an unrelated process gets its PID',
  scale: 'quick',
  needsLinux: true,
  async observe(context) {
    const patience = patienceOf(context)
    return overEach(pidReuse, context, {
      atOnce: 5,
      async observe({ prepared }, dir) {
        const seen = await inOwnPidNamespace(
          { command: prepared.command(dir, 1), patienceMs: patience },
          context.signal,
        )
        const setting =
          'In a PID namespace of its own the holder of the only permit was killed with SIGKILL, and a program that has nothing to do ' +
          `with the pool was started with exactly its PID (${seen.pid}, through /proc/sys/kernel/ns_last_pid).`
        if (!seen.isUnrelatedAlive) {
          return { verdict: 'breaks', finding: 'the unrelated program is ended', evidence: `${setting} It was ended.` }
        }
        if (seen.tookMs === null) {
          const afterwards = seen.isFreeAfterwards ? 'once that program had ended' : 'nor after that program had ended'
          const evidence = `${setting} For ${spelled(patience)} nobody else got the permit, ${afterwards}.`
          return {
            verdict: 'breaks',
            finding: seen.isFreeAfterwards ? 'counts as the holder' : 'lost for ever',
            evidence,
          }
        }
        const took = spelled(seen.tookMs)
        const evidence = `${setting} Another process had the permit after ${took}; the unrelated program went on.`
        return { verdict: 'holds', finding: `free after ${took}`, evidence, tookMs: seen.tookMs }
      },
    })
  },
}

/** Throws, with what unshare(1) said, where such a namespace cannot be made. */
async function inOwnPidNamespace(order: ReuseOrder, signal: AbortSignal): Promise<ReuseSeen> {
  // Without privileges only as the root of a user namespace of its own.
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const args = [...asRoot, '--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, MAIN]
  const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' })
  const ended = once(child, 'close')
  // What it says on its standard error tells more.
  child.stdin.on('error', () => undefined)
  // Through its input: the command's environment may have credentials.
  child.stdin.end(JSON.stringify(order))
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  if (child.exitCode !== 0) throw new Error(`no process can be given a chosen PID here: ${complaint.trim()}`)
  return JSON.parse(said) as ReuseSeen
}
