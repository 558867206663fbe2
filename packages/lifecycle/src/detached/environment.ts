/** What every program needs to find its files, its language and its libraries. No NODE_OPTIONS, no SURREAL_*, no secrets. */
const ORDINARY =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_[A-Z]+|TZ|TMPDIR|TMP|TEMP|XDG_[A-Z_]+|LD_LIBRARY_PATH|DYLD_[A-Z_]+|SystemRoot|SYSTEMROOT|windir|APPDATA|LOCALAPPDATA|USERPROFILE)$/

/** Where drivers look for their executables. */
const FINDING = /^(PROCREF_SURREAL_BIN|SURREAL_CLI_HOME)$/

/** The part of this process's environment that a detached process gets: whoever launched it must not decide how it behaves. */
export function detachedEnvironment(): NodeJS.ProcessEnv {
  return pick((name) => ORDINARY.test(name) || FINDING.test(name))
}

/** The part of this process's environment that a server gets. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return pick((name) => ORDINARY.test(name))
}

function pick(wanted: (name: string) => boolean): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted(name)))
}
