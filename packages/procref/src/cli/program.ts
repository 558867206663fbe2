import { Command } from 'commander'
import { ownVersion } from '../own-version.ts'
import { addBenchCommand } from './bench-command.ts'
import { addDataCommands } from './data-commands.ts'
import { addPlaceOptions, configureOutput, reportTo } from './declare.ts'
import { addDirectoryCommands } from './directory-commands.ts'
import { addLookCommands } from './look-commands.ts'
import { addServiceCommands } from './service-commands.ts'
import { addMigrateCommand, addSlotCommands } from './slot-commands.ts'

/** The whole command line, parsed by nobody yet. What a command does is loaded when it is used. */
export function createProgram(): Command {
  const program = configureOutput(new Command('procref'))
    .description('Many processes share one local SurrealDB: it starts with the first and stops with the last.')
    .version(ownVersion(), '-V, --version', 'print the version')
    // `procref run prog --json`: what follows the program belongs to it.
    .enablePositionalOptions()
  addPlaceOptions(reportTo(program))
  addServiceCommands(program)
  addDataCommands(program)
  addLookCommands(program)
  addSlotCommands(program)
  addDirectoryCommands(program)
  addMigrateCommand(program)
  addBenchCommand(program)
  program.addHelpText(
    'after',
    [
      '',
      'Exit codes: 0 done, 1 failed, 2 wrong usage, 75 all slots are in use; `run` passes on the one of its program.',
      'PROCREF_DEBUG=1 shows where an error comes from.',
    ].join('\n'),
  )
  return program
}
