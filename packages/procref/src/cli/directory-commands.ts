import type { Command } from 'commander'
import type { ResetOptions } from '../commands/reset.ts'
import type { LookOptions } from '../commands/status.ts'
import { addJsonOption, addPlaceOptions, declare, optionsOf } from './declare.ts'
import { EXIT_CODE } from './exit-code.ts'
import { show } from './show.ts'

const GROUP = 'The directory:'

/** The commands that change what a directory is, not what runs in it. Each loads what it does when it is used. */
export function addDirectoryCommands(program: Command): void {
  addConfigCommand(program)
  addResetCommand(program)
}

function addConfigCommand(program: Command): void {
  const config = declare(program, {
    name: 'config',
    summary: 'show or change the settings of the directory (config.json)',
    group: GROUP,
    details:
      'They hold for whoever says nothing else: storage (rocksdb, surrealkv or memory), port, slots, lingerMs. A server that runs goes on as it is; ' +
      'the next start follows them.',
    examples: [
      ['procref config', 'what holds, and why'],
      ['procref config set lingerMs 30s', 'stay half a minute after the last user'],
      ['procref config unset port', 'any free port again'],
    ],
  })
  addJsonOption(addPlaceOptions(config)).action(async () => {
    const options = optionsOf<LookOptions>(config)
    const { readConfiguration, viewConfiguration } = await import('../commands/config.ts')
    show(options, readConfiguration(options), viewConfiguration)
  })
  const set = declare(config, {
    name: 'set <setting> <value>',
    summary: 'write a setting',
    group: 'Commands:',
    examples: [['procref config set storage surrealkv', 'for a database that is not made yet']],
  })
  const unset = declare(config, {
    name: 'unset <setting>',
    summary: 'take a setting back',
    group: 'Commands:',
    examples: [['procref config unset lingerMs', 'the default again']],
  })
  for (const command of [set, unset]) {
    addJsonOption(addPlaceOptions(command)).action(async (name: string, value: unknown) => {
      const options = optionsOf<LookOptions>(command)
      const { changeSetting, viewConfiguration } = await import('../commands/config.ts')
      show(options, changeSetting(options, name, command === set ? String(value) : undefined), viewConfiguration)
    })
  }
}

function addResetCommand(program: Command): void {
  const reset = declare(program, {
    name: 'reset',
    summary: 'delete the database of the directory',
    group: GROUP,
    details:
      'All its rows, users and its password; the slots, the settings and the journal stay. Refused while anybody uses it or a server runs. ' +
      'Asks first; where nobody can be asked it wants --yes. Nothing brings the database back. Exits with 1 when the answer was no.',
    examples: [
      ['procref reset', 'ask, then delete'],
      ['procref reset --yes --dir ./.procref', 'in a script'],
    ],
  })
  addJsonOption(addPlaceOptions(reset))
    .option('-y, --yes', 'do not ask')
    .action(async () => {
      const options = optionsOf<ResetOptions>(reset)
      const { resetDirectory, viewReset } = await import('../commands/reset.ts')
      const outcome = await resetDirectory(options)
      show(options, outcome, viewReset)
      if (outcome.state === 'declined') process.exitCode = EXIT_CODE.failed
    })
}
