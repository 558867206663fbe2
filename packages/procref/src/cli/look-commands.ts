import { type Command, Option } from 'commander'
import type { RunOptions } from '../commands/run.ts'
import type { ServerOptions } from '../commands/status.ts'
import type { StopOptions } from '../commands/stop.ts'
import { addJsonOption, addPlaceOptions, declare, optionsOf } from './declare.ts'
import { parseDuration, parseInteger } from './option-values.ts'
import { show } from './show.ts'

const GROUP = 'Server:'

/** The commands about the shared server. Each loads what it does when it is used. */
export function addServerCommands(program: Command): void {
  const run = declare(program, {
    name: 'run <program> [arguments...]',
    summary: 'run a program with the shared server in its environment',
    group: GROUP,
    details:
      'Starts the server if nobody runs it. The program inherits the slot, so that the server stays while it lives, even when ' +
      'procref itself is killed. It gets SURREAL_URL, SURREAL_USER, SURREAL_PASS, SURREAL_NAMESPACE and SURREAL_DATABASE. ' +
      'Signals and the exit code are passed on.',
    examples: [
      ['procref run -- python app.py', 'a Python program on the shared database'],
      ["procref run -- sh -c 'echo $SURREAL_URL'", 'where the server is'],
    ],
  })
  addPlaceOptions(run)
    .passThroughOptions()
    .option('--linger <time>', 'how long the server stays after its last user', parseDuration)
    .option('--label <text>', 'who uses the server, for people')
    .action(async (file: string, args: string[]) => {
      const { runProgram } = await import('../commands/run.ts')
      process.exitCode = await runProgram(file, args, optionsOf<RunOptions>(run))
    })

  const status = declare(program, {
    name: 'status',
    summary: 'show whether the server runs, and where',
    group: GROUP,
    details: 'Changes nothing and makes nothing.',
    examples: [
      ['procref status', 'in words'],
      ['procref status --json', 'for programs'],
    ],
  })
  addJsonOption(addPlaceOptions(status)).action(async () => {
    const options = optionsOf<ServerOptions>(status)
    const { readStatus, viewStatus } = await import('../commands/status.ts')
    show(options, await readStatus(options), viewStatus)
  })

  const ps = declare(program, {
    name: 'ps',
    summary: 'show who uses the server',
    group: GROUP,
    examples: [
      ['procref ps', 'as a table'],
      ['procref ps --json', 'for programs'],
    ],
  })
  addJsonOption(addPlaceOptions(ps)).action(async () => {
    const options = optionsOf<ServerOptions>(ps)
    const { listSlots, viewSlotList } = await import('../commands/slot-list.ts')
    show(options, await listSlots(options), viewSlotList)
  })

  const why = declare(program, {
    name: 'why',
    summary: 'show why the server was started, stopped or refused',
    group: GROUP,
    examples: [
      ['procref why', 'the last events'],
      ['procref why --last 100', 'more of them'],
    ],
  })
  addJsonOption(addPlaceOptions(why))
    .addOption(new Option('--last <number>', 'how many events').argParser(parseInteger(1, 1_000_000)).default(20))
    .action(async () => {
      const options = optionsOf<ServerOptions & { readonly last: number }>(why)
      const { readWhy, viewWhy } = await import('../commands/why.ts')
      show(options, readWhy(options), viewWhy)
    })

  const logs = declare(program, {
    name: 'logs',
    summary: "show the end of the server's own output",
    group: GROUP,
    examples: [
      ['procref logs', 'the last lines'],
      ['procref logs --last 200', 'more of them'],
    ],
  })
  addPlaceOptions(logs)
    .addOption(new Option('--last <number>', 'how many lines').argParser(parseInteger(1, 1_000_000)).default(50))
    .action(async () => {
      const { readLogs } = await import('../commands/logs.ts')
      for (const line of readLogs(optionsOf<ServerOptions & { readonly last: number }>(logs)))
        process.stdout.write(`${line}\n`)
    })

  const stop = declare(program, {
    name: 'stop',
    summary: 'stop the server now',
    group: GROUP,
    details:
      'Refused while somebody uses it, unless forced. Asks the guardian; the server is never signalled from here.',
    examples: [
      ['procref stop', 'if nobody uses it'],
      ['procref stop --force', 'all the same'],
    ],
  })
  addJsonOption(addPlaceOptions(stop))
    .option('--force', 'stop although it is used: its users are told and not served again')
    .action(async () => {
      const options = optionsOf<StopOptions>(stop)
      const { stopServer, viewStop } = await import('../commands/stop.ts')
      show(options, await stopServer(options), viewStop)
    })

  const url = declare(program, {
    name: 'url',
    summary: 'print the URL of the running server',
    group: GROUP,
    details: 'Exits with 1 when no server runs.',
    examples: [['procref url', 'ws://127.0.0.1:…/rpc']],
  })
  addPlaceOptions(url).action(async () => {
    const { readUrl } = await import('../commands/status.ts')
    process.stdout.write(`${await readUrl(optionsOf<ServerOptions>(url))}\n`)
  })
}
