"""Runs argv[3:] in a terminal, types argv[2] when argv[1] was shown, and prints all that was shown. Ends with its exit code."""
import os
import pty
import sys

prompt, keys, command = sys.argv[1], sys.argv[2], sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
shown = b""
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        # Linux says so when the other side is closed.
        break
    if not part:
        break
    shown += part
    if keys and prompt.encode() in shown:
        os.write(terminal, keys.encode())
        keys = ""
sys.stdout.write(shown.decode())
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
