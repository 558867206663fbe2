import { type Command, Option } from 'commander'
import type { DoctorOptions } from '../commands/doctor.ts'
import type { EnvOptions } from '../commands/env.ts'
import type { LogOptions } from '../commands/logs.ts'
import type { LookOptions } from '../commands/status.ts'
import type { StopServerOptions } from '../commands/stop.ts'
import type { WhyOptions } from '../commands/why.ts'
import { addJsonOption, addPlaceOptions, declare, optionsOf } from './declare.ts'
import { EXIT_CODE } from './exit-code.ts'
import { parseDuration, parseInteger } from './option-values.ts'
import { show } from './show.ts'

const GROUP = 'Look at the server, and stop it:'

/** The commands that start nothing. Each loads what it does when it is used. */
export function addLookCommands(program: Command): void {
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
    const options = optionsOf<LookOptions>(status)
    const { readStatus, viewStatusWithBackend } = await import('../commands/status.ts')
    show(options, await readStatus(options), viewStatusWithBackend)
  })

  const ps = declare(program, {
    name: 'ps',
    summary: 'show who uses the server',
    group: GROUP,
    details: 'Found by probing the locks; changes nothing.',
    examples: [
      ['procref ps', 'as a table'],
      ['procref ps --json', 'for programs'],
    ],
  })
  addJsonOption(addPlaceOptions(ps)).action(async () => {
    const options = optionsOf<LookOptions>(ps)
    const { readProcesses, viewProcesses } = await import('../commands/ps.ts')
    show(options, await readProcesses(options), viewProcesses)
  })

  const why = declare(program, {
    name: 'why',
    summary: 'show why the server was started, stopped or refused',
    group: GROUP,
    details: 'The last events of the journal, oldest first.',
    examples: [
      ['procref why', 'the last events'],
      ['procref why --last 100', 'more of them'],
    ],
  })
  addJsonOption(addPlaceOptions(why))
    .addOption(last('how many events', 20))
    .action(async () => {
      const options = optionsOf<WhyOptions>(why)
      const { readWhy, viewWhy } = await import('../commands/why.ts')
      show(options, readWhy(options), viewWhy)
    })

  const logs = declare(program, {
    name: 'logs',
    summary: "show the end of the server's own output",
    group: GROUP,
    examples: [
      ['procref logs', 'the last lines'],
      ['procref logs --follow', 'and what comes'],
    ],
  })
  addPlaceOptions(logs)
    .addOption(last('how many lines', 50))
    .option('-f, --follow', 'go on with what is added, until Ctrl-C')
    .action(async () => {
      const { printLogs } = await import('../commands/logs.ts')
      await printLogs(optionsOf<LogOptions>(logs))
    })

  const doctor = declare(program, {
    name: 'doctor',
    summary: 'find out what is wrong with the directory or this machine',
    group: GROUP,
    details:
      'Says what it looked at, what it found, why that matters and what to do. Changes nothing without --fix, which mends only what ' +
      'is proven safe, says what it did, and never touches the data. Exits with 1 when there is a problem (left).',
    examples: [
      ['procref doctor', 'is all well?'],
      ['procref doctor --fix', 'mend what can be mended without a risk'],
      ['procref doctor --json', 'for programs'],
    ],
  })
  addJsonOption(addPlaceOptions(doctor))
    .option('--fix', 'mend what is proven safe to mend')
    .action(async () => {
      const options = optionsOf<DoctorOptions>(doctor)
      const { runDoctor, viewDoctor } = await import('../commands/doctor.ts')
      const report = await runDoctor(options)
      show(options, report, viewDoctor)
      if (!report.healthy) process.exitCode = EXIT_CODE.failed
    })

  const stop = declare(program, {
    name: 'stop',
    summary: 'stop the server now',
    group: GROUP,
    details:
      'Ends what `procref start` left, and asks the guardian to stop the server. Refused while others use it, unless forced. ' +
      'Prints `stopped`, also when nothing ran.',
    examples: [
      ['procref stop', 'if nobody uses it'],
      ['procref stop --force', 'all the same'],
    ],
  })
  addJsonOption(addPlaceOptions(stop))
    .option('--force', 'stop although it is used: its users are told, and not served again')
    .addOption(new Option('--timeout <time>', 'how long to wait for the end (default: 180s)').argParser(parseDuration))
    .action(async () => {
      const options = optionsOf<StopServerOptions>(stop)
      const { stopServer, viewStop } = await import('../commands/stop.ts')
      show(options, await stopServer(options), viewStop)
    })

  const url = declare(program, {
    name: 'url',
    summary: 'print the URL of the running server',
    group: GROUP,
    details: 'Exits with 1 when no server is up. Keeps nothing up: see `procref start` and `procref run`.',
    examples: [['procref url', 'ws://127.0.0.1:…/rpc']],
  })
  addJsonOption(addPlaceOptions(url)).action(async () => {
    const options = optionsOf<LookOptions>(url)
    const { readUrl, viewUrl } = await import('../commands/url.ts')
    show(options, await readUrl(options), viewUrl)
  })

  const env = declare(program, {
    name: 'env',
    summary: 'print what `procref run` puts into the environment',
    group: GROUP,
    details:
      'As `export` lines for a POSIX shell. Exits with 1 when no server is up. Keeps nothing up: see `procref start`.',
    examples: [
      ['eval "$(procref env --secrets)"', 'into this shell'],
      ['procref env --json', 'for programs'],
    ],
  })
  addJsonOption(addPlaceOptions(env))
    .option('--secrets', 'the password, too')
    .action(async () => {
      const options = optionsOf<EnvOptions>(env)
      const { readEnvironment, viewEnvironment } = await import('../commands/env.ts')
      show(options, await readEnvironment(options), viewEnvironment)
    })
}

function last(description: string, number: number): Option {
  return new Option('-n, --last <number>', description).argParser(parseInteger(1, 1_000_000)).default(number)
}
