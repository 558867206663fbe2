import { type Command, Option } from 'commander'
import type { RestartServerOptions } from '../commands/restart.ts'
import type { SqlOptions } from '../commands/sql.ts'
import type { StartOptions } from '../commands/start.ts'
import { DRIVER_NAMES, STORAGES } from '../server-names.ts'
import type { ServiceOptions } from '../service-options.ts'
import { addJsonOption, addPlaceOptions, declare, optionsOf } from './declare.ts'
import { EXIT_CODE } from './exit-code.ts'
import { parseDuration, parseInteger } from './option-values.ts'
import { show } from './show.ts'

const GROUP = 'Use the server:'

/** The commands that start the server if nobody runs it. Each loads what it does when it is used. */
export function addServiceCommands(program: Command): void {
  const run = declare(program, {
    name: 'run <program> [arguments...]',
    summary: 'run a program with the shared server in its environment',
    group: GROUP,
    details:
      'Starts the server if nobody runs it. The program gets SURREAL_URL, SURREAL_USER, SURREAL_PASS, SURREAL_NAMESPACE and ' +
      'SURREAL_DATABASE. It inherits the slot, so that the server stays while it lives, even when procref itself is killed. ' +
      'Signals and the exit code are passed on.',
    examples: [
      ['procref run -- python app.py', 'a Python program on the shared database'],
      ["procref run -- sh -c 'echo $SURREAL_URL'", 'where the server is'],
    ],
  })
  addServiceOptions(run)
    // What follows the program belongs to it.
    .passThroughOptions()
    .action(async (file: string, args: string[]) => {
      const { runProgram } = await import('../commands/run.ts')
      const { endAs } = await import('../run/program.ts')
      endAs(await runProgram(file, args, optionsOf<ServiceOptions>(run)))
    })

  const start = declare(program, {
    name: 'start',
    summary: 'start the server and keep it up until `procref stop`',
    group: GROUP,
    details: 'A detached process holds a slot for that. Exits once the server is up.',
    examples: [
      ['procref start', 'keep it up'],
      ['procref start --json', 'and tell a program where it is'],
    ],
  })
  addJsonOption(addServiceOptions(start)).action(async () => {
    const options = optionsOf<StartOptions>(start)
    const { startServer, viewStart } = await import('../commands/start.ts')
    show(options, await startServer(options), viewStart)
  })

  const restart = declare(program, {
    name: 'restart',
    summary: "replace guardian and server by this version's, under those who use them",
    group: GROUP,
    details:
      'Asks the guardian to stop the server and leave, and starts the next one: same port, next epoch, same settings. Programs that use it ' +
      'are connected again by themselves. After an upgrade of procref: until then the guardian runs the code of the program that launched it. ' +
      'Exits with 0, and says so, when nothing runs.',
    examples: [
      ['npm install procref@latest && npx procref restart', 'after an upgrade'],
      ['procref restart --json', 'and tell a program what runs now'],
    ],
  })
  addJsonOption(addPlaceOptions(restart))
    .addOption(
      new Option(
        '--timeout <time>',
        'how long to wait for the end of the old one, and for the new one (default: 180s)',
      ).argParser(parseDuration),
    )
    .action(async () => {
      const options = optionsOf<RestartServerOptions>(restart)
      const { restartServer, viewRestart } = await import('../commands/restart.ts')
      show(options, await restartServer(options), viewRestart)
    })

  const sql = declare(program, {
    name: 'sql',
    summary: 'run SurrealQL on the shared database',
    group: GROUP,
    details:
      'Asks for statements on a terminal, else reads them from standard input. Exits with 1 when a statement failed. ' +
      'Prints one JSON value a statement; --json prints one array for all of them.',
    examples: [
      ['procref sql', 'a prompt'],
      ["procref sql --query 'SELECT * FROM person'", 'one query'],
      ['procref sql < schema.surql', 'a file'],
    ],
  })
  addJsonOption(addServiceOptions(sql))
    .option('-q, --query <text>', 'statements to run')
    .option('--namespace <name>', 'the namespace, made if missing (default: main)')
    .option('--database <name>', 'the database, made if missing (default: main)')
    .action(async () => {
      const { runSql } = await import('../commands/sql.ts')
      const outcome = await runSql(optionsOf<SqlOptions>(sql))
      if (outcome === 'failed') process.exitCode = EXIT_CODE.failed
    })
}

export function addServiceOptions(command: Command): Command {
  const server = (flags: string, description: string): Option => new Option(flags, description).helpGroup('Server:')
  addPlaceOptions(command)
  return command
    .addOption(
      server('--driver <name>', 'which server to start (default: the one that runs, else the best)').choices(
        DRIVER_NAMES,
      ),
    )
    .addOption(
      server('--storage <name>', 'where it keeps the data (default: where they are, else rocksdb)').choices(STORAGES),
    )
    .addOption(server('--port <number>', 'its port (default: a free one, kept)').argParser(parseInteger(1, 65_535)))
    .addOption(
      server('--linger <time>', 'how long it stays after its last user (default: 10s)').argParser(parseDuration),
    )
    .addOption(server('--timeout <time>', 'how long to wait for it (default: 150s)').argParser(parseDuration))
    .addOption(server('--upgrade', 'let it upgrade data of an older version, without a copy (see `procref upgrade`)'))
    .addOption(slotsOption())
    .addOption(unsafeFilesystemOption())
    .addOption(new Option('--label <text>', 'who uses the server, for people').helpGroup('Directory:'))
}

export function slotsOption(): Option {
  return new Option(
    '--slots <number>',
    'how many slots the directory has, decided by the first who asks (default: 100)',
  )
    .argParser(parseInteger(1, 100_000))
    .helpGroup('Directory:')
}

export function unsafeFilesystemOption(): Option {
  return new Option('--allow-unsafe-filesystem', 'use a file system that is not known to keep locks').helpGroup(
    'Directory:',
  )
}
