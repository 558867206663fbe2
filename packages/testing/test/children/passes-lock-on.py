"""Locks a file, passes the lock on to a child and says who that is. Both end when their standard input does."""
import fcntl, os, sys

fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
heir = os.fork()
if heir != 0:
    os.close(fd)
    print(heir, flush=True)
sys.stdin.read()
if heir != 0:
    os.wait()
