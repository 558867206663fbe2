"""Claims and releases slots as docs/slot-directory.md says, until it is killed or an orphan: holder.py SLOTS_DIR EVIDENCE_DIR SLOTS."""
import fcntl, os, random, sys, time

PF_EXITING = 0x4


def stat_fields(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin1") as file:
            return file.read().rsplit(") ", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_over(who):
    pid, start = who.split(" ")
    fields = stat_fields(pid)
    return fields is None or fields[19] != start or fields[0] in "ZX" or int(fields[6]) & PF_EXITING != 0


def try_lock(path):
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(fd), os.stat(path)):
            return fd
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(fd)
    return None


def mark(slot):
    """See evidence.mjs."""
    path = os.path.join(evidence, str(slot))
    while True:
        try:
            os.link(name, path)
            break
        except FileExistsError:
            pass
        try:
            with open(path) as file:
                other = file.read()
        except FileNotFoundError:
            other = "(gone meanwhile)"
        if other.startswith("(") or not is_over(other):
            print(f'{{"event":"overlap","slot":{slot},"who":"{who}","other":"{other}"}}', flush=True)
        else:
            os.write(killed, b".")
        unmark(path)
    os.write(log, b".")
    return path


def unmark(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


directory, evidence, slots = sys.argv[1], sys.argv[2], int(sys.argv[3])
who = f"{os.getpid()} {stat_fields('self')[19]}"
name = os.path.join(evidence, who.replace(" ", "-") + ".name")
with open(name, "w") as file:
    file.write(who)
log, killed = (
    os.open(os.path.join(evidence, f"{log}.log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for log in ("python", "killed")
)
parent = os.getppid()
while os.getppid() == parent:
    slot = random.randrange(slots)
    fd = try_lock(os.path.join(directory, f"slot_{slot:02}.lock"))
    if fd is None:
        time.sleep(0.0005)
        continue
    os.pwrite(fd, f"{os.getpid()}\n".ljust(512).encode(), 0)
    path = mark(slot)
    time.sleep(0.0002)
    unmark(path)
    os.close(fd)
