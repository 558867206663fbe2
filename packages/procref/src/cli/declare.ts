import { type Command, type CommanderError, Option } from 'commander'
import { EXIT_CODE, UsageError } from './exit-code.ts'
import { hasColors } from './output.ts'

/** Thrown after help or the version was printed as asked: there is nothing left to do. */
export class HelpShown extends Error {}

export interface Declaration {
  /** With its arguments: `run <command...>`. */
  readonly name: string
  readonly summary: string
  readonly group: string
  /** What the summary leaves out, for the command's own help. */
  readonly details?: string
  /** Command lines that work as they stand, each with what it is for. */
  readonly examples: readonly (readonly [commandLine: string, purpose: string])[]
}

/** Adds a command to `parent`; its options and its action are then added to what this returns. */
export function declare(parent: Command, declaration: Declaration): Command {
  const command = parent.command(declaration.name)
  command.summary(declaration.summary).description(sentences(declaration)).helpGroup(declaration.group)
  command.addHelpText('after', `\n${formatExamples(command, declaration.examples)}`)
  // Set after parent.command(), which hands the parent's own on: the hint has to name this command.
  return reportTo(command)
}

/** Makes `command` throw what it would print and exit with, so that one place decides how failures look. */
export function reportTo(command: Command): Command {
  return command.exitOverride((error) => {
    throw translate(error, command)
  })
}

/** Settings that commands inherit when they are declared after this was called on their parent. */
export function configureOutput(program: Command): Command {
  return program
    .configureOutput({
      getOutHasColors: () => hasColors(1),
      getErrHasColors: () => hasColors(2),
      // The failure is thrown as well, and reported where it is caught.
      outputError: () => {},
    })
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'explain a command')
    .helpOption('-h, --help', 'explain this command')
}

/** What was given, wherever it stood: an option after the command wins over the same one before it. */
export function optionsOf<T>(command: Command): T {
  // Commander has no types for values; T is what the options declared beside the action produce.
  return { ...(command.parent === null ? {} : optionsOf<object>(command.parent)), ...command.opts() } as T
}

/** The options that say which directory and which slots are meant; they may also stand before the command. */
export function addPlaceOptions(command: Command): Command {
  return command
    .addOption(place('-d, --dir <folder>', 'the shared directory (default: $PROCREF_DIR, else ~/.procref)'))
    .addOption(
      place('--backend <name>', 'what makes the slots (default: $PROCREF_BACKEND, else what the directory uses)'),
    )
}

export function addJsonOption(command: Command): Command {
  return command.addOption(new Option('--json', 'print the result as one JSON document').helpGroup('Output:'))
}

function place(flags: string, description: string): Option {
  return new Option(flags, description).helpGroup('Directory:')
}

function translate(error: CommanderError, command: Command): Error {
  if (error.code === 'commander.version' || error.code === 'commander.helpDisplayed') return new HelpShown()
  if (error.code === 'commander.help' && error.exitCode === EXIT_CODE.done) return new HelpShown()
  const path = pathOf(command)
  if (error.code === 'commander.help') return new UsageError(`Which command? \`${path} --help\` lists them.`)
  const message = error.message.replace(/^error: /, '')
  return new UsageError(`${message}\n\`${path} --help\` explains it.`, { cause: undefined })
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function sentences({ summary, details }: Declaration): string {
  const first = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
  return details === undefined ? first : `${first}\n\n${details}`
}

function formatExamples(command: Command, examples: Declaration['examples']): string {
  const lines = examples.map(([commandLine, purpose]) => `  ${commandLine}\n      ${purpose}`)
  return `${command.createHelp().styleTitle('Examples:')}\n${lines.join('\n')}`
}
