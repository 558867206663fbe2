import { type Command, Option } from 'commander'
import type { ResetOptions } from '../commands/reset.ts'
import type { LookOptions } from '../commands/status.ts'
import type { TakeOverCommandOptions } from '../commands/take-over.ts'
import type { UpgradeCommandOptions } from '../commands/upgrade.ts'
import { DRIVER_NAMES, STORAGES } from '../server-names.ts'
import { addJsonOption, addPlaceOptions, declare, optionsOf } from './declare.ts'
import { EXIT_CODE } from './exit-code.ts'
import { addServiceOptions } from './service-commands.ts'
import { show } from './show.ts'

const GROUP = 'The directory:'

/** A folder holds no database in memory. */
const FILE_STORAGES = STORAGES.filter((storage) => storage !== 'memory')

/** The commands that change what a directory is, not what runs in it. Each loads what it does when it is used. */
export function addDirectoryCommands(program: Command): void {
  addConfigCommand(program)
  addTakeOverCommand(program)
  addUpgradeCommand(program)
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

function addTakeOverCommand(program: Command): void {
  const takeOver = declare(program, {
    name: 'take-over <folder>',
    summary: 'make the database of a server that was started by hand the one of the directory',
    group: GROUP,
    details:
      'FOLDER is what stands behind rocksdb:// or surrealkv:// in its command line. End that server first. A server on a copy proves user and ' +
      'password before anything is moved; they stay as they are. The directory must not have a database. FOLDER is removed once the directory has it ' +
      'all; killed before that, it is as it was. The password comes from a file or standard input, else it is asked for.',
    examples: [
      ['procref take-over ./data.db', 'ask for the password of root'],
      ['procref take-over rocksdb://data.db --user admin --password-file secret', 'in a script'],
      ['procref take-over ./data.db --copy', 'leave the folder where it is'],
    ],
  })
  addJsonOption(addPlaceOptions(takeOver))
    .option('--user <name>', 'the root user that the database has (default: root)')
    .option('--password-file <file>', 'what has its password; - is standard input')
    .addOption(
      new Option('--storage <name>', 'what the folder has to be (default: what is found in it)').choices(FILE_STORAGES),
    )
    .addOption(new Option('--driver <name>', 'which server opens it (default: the best)').choices(DRIVER_NAMES))
    .option('--copy', 'leave the folder as it is')
    .option('--upgrade', 'let a newer version of SurrealDB upgrade the data, which has no way back')
    .option('--from-version <version>', 'the version that has served it until now, where its data do not tell')
    .action(async (folder: string) => {
      const options = optionsOf<TakeOverCommandOptions>(takeOver)
      const { takeOverFolder, viewTakeOver } = await import('../commands/take-over.ts')
      show(options, await takeOverFolder(folder, options), viewTakeOver)
    })
}

function addUpgradeCommand(program: Command): void {
  const upgrade = declare(program, {
    name: 'upgrade',
    summary: 'upgrade the database to the version of SurrealDB that is installed',
    group: GROUP,
    details:
      'For data of another minor version: older ones cannot use them any more afterwards, so no server does it by itself. Keeps a copy of the data as they ' +
      'are (data.before-VERSION in the directory), then starts the server once. Refused while anybody uses the directory or a server runs. Asks first; where nobody can ' +
      'be asked it wants --yes. Exits with 1 when the answer was no.',
    examples: [
      ['procref upgrade', 'ask, copy, upgrade'],
      ['procref upgrade --yes --no-copy', 'in a script that has a backup'],
    ],
  })
  addJsonOption(addServiceOptions(upgrade))
    .option('-y, --yes', 'do not ask')
    .option('--no-copy', 'keep no copy')
    .action(async () => {
      const options = optionsOf<UpgradeCommandOptions>(upgrade)
      const { upgradeDirectory, viewUpgrade } = await import('../commands/upgrade.ts')
      const outcome = await upgradeDirectory(options)
      show(options, outcome, viewUpgrade)
      if (outcome.state === 'declined') process.exitCode = EXIT_CODE.failed
    })
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
