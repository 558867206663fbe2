// Fails when a process still uses a file below the folder given, or when a test left a folder of ours in it.
// A guardian or server that a test forgot shows up here by its open locks, whatever its environment says.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const folder = process.argv[2]
const problems = []

if (process.platform === 'linux') {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const file = openFileBelow(pid)
    if (file !== undefined) problems.push(`process ${pid} (${commandLine(pid)}) still has ${file} open`)
  }
} else {
  console.log('NOTE: only Linux lists the open files of processes: what runs on is NOT CHECKED here.')
}
for (const name of readdirSync(folder).filter((name) => name.startsWith('procref')))
  problems.push(`left behind: ${folder}/${name}`)

for (const problem of problems) console.log(problem)
process.exitCode = problems.length === 0 ? 0 : 1

function openFileBelow(pid) {
  try {
    const links = ['cwd', 'exe', ...readdirSync(`/proc/${pid}/fd`).map((fd) => `fd/${fd}`)]
    for (const link of links) {
      const target = readlink(`/proc/${pid}/${link}`)
      if (target?.startsWith(`${folder}/`)) return target
    }
  } catch (error) {
    // The process has ended meanwhile, or it is another user's.
    if (!['ENOENT', 'ESRCH', 'EACCES'].includes(error.code)) throw error
  }
  return undefined
}

function readlink(path) {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (!['ENOENT', 'ESRCH', 'EACCES'].includes(error.code)) throw error
    return undefined
  }
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch (error) {
    if (!['ENOENT', 'ESRCH'].includes(error.code)) throw error
    return 'ended meanwhile'
  }
}
