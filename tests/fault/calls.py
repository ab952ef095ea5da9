# The calls that PID 1 makes while it lives, how each of them fails, and what must be said of it.
# SPDX-License-Identifier: ISC
import errno
import json
import os
import re
import signal

# Per call: the errors it is made to fail with, one after the other.
ERRORS = {
    "accept4": ["EMFILE", "ECONNABORTED", "ENFILE"],
    "bind": ["EADDRINUSE", "ENOSPC"],
    "clone3": ["EAGAIN", "ENOMEM"],
    "connect": ["EAGAIN"],
    "dup": ["EMFILE"],
    "dup3": ["EMFILE"],
    "epoll_create1": ["EMFILE", "ENOMEM"],
    "epoll_ctl": ["ENOMEM", "ENOSPC"],
    "epoll_pwait": ["EINTR"],
    "epoll_wait": ["EINTR"],
    "execveat": ["ENOMEM", "EACCES"],
    "fchownat": ["EIO"],
    "fork": ["EAGAIN"],
    "clone": ["EAGAIN"],
    "getsockopt": ["ENOBUFS"],
    "kill": ["EPERM"],
    "listen": ["EADDRINUSE"],
    "mkdir": ["ENOSPC"],
    "mkdirat": ["ENOSPC", "ENOMEM"],
    "mmap": ["ENOMEM"],
    "madvise": ["ENOMEM"],
    "open": ["EMFILE", "EIO"],
    "openat": ["EMFILE", "EIO", "ENFILE"],
    "pidfd_open": ["EMFILE"],
    "pidfd_send_signal": ["EPERM"],
    "pipe2": ["EMFILE", "ENFILE"],
    "poll": ["EINTR", "ENOMEM"],
    "prctl": ["EPERM"],
    "pread64": ["EIO"],
    "read": ["EINTR", "EIO", "ENOMEM"],
    "readlink": ["EIO"],
    "recvfrom": ["EINTR", "ENOMEM"],
    "recvmsg": ["EINTR", "ENOMEM"],
    "rmdir": ["EBUSY"],
    "sendmsg": ["EAGAIN", "ENOBUFS", "ENOMEM"],
    "sendto": ["EAGAIN", "ENOBUFS"],
    "setsockopt": ["ENOMEM"],
    "signalfd4": ["EMFILE", "ENOMEM"],
    "socket": ["EMFILE", "ENFILE"],
    "socketpair": ["EMFILE", "ENFILE"],
    "statfs": ["EIO"],
    "unlink": ["EIO"],
    "unlinkat": ["EBUSY", "EIO"],
    "wait4": ["EINTR"],
    "waitid": ["EINTR"],
    "write": ["EIO", "ENOSPC", "EAGAIN"],
}

# What the kernel never refuses, or what nobody could do anything about.
NEVER = {
    "close": "frees the descriptor whatever it returns",
    "rt_sigprocmask": "fails for wrong arguments only",
    "rt_sigaction": "fails for wrong arguments only",
    "sigaltstack": "fails for wrong arguments only",
    "rt_sigreturn": "does not return",
    "umask": "cannot fail",
    "getpid": "cannot fail",
    "geteuid": "cannot fail",
    "getegid": "cannot fail",
    "exit_group": "does not return",
    "restart_syscall": "is the kernel's own",
    "capget": "fails only for a process that is gone, and that one reads no answer",
    "fcntl": "its commands here cannot fail for a descriptor that is open",
    "newfstatat": "cannot fail for a descriptor that is open",
    "fstat": "cannot fail for a descriptor that is open",
    "munmap": "fails for wrong arguments only",
    "prlimit64": "reads a limit",
    "sched_getscheduler": "reads a policy",
    "sched_setscheduler": "its failure costs speed only",
    "brk": "is the C library's, before main()",
    "mprotect": "is the C library's, before main()",
    "arch_prctl": "is the C library's, before main()",
    "getrandom": "is the C library's, before main()",
    "rseq": "is the C library's, before main()",
    "set_robust_list": "is the C library's, before main()",
    "set_tid_address": "is the C library's, before main()",
}
# Taking a descriptor out of an epoll set allocates nothing.
NEVER_LINES = {"epoll_ctl": re.compile(r"EPOLL_CTL_DEL")}


def name_of(line):
    m = re.match(r"(?:\d+ +)?([a-z_0-9]+)\(", line)
    return m.group(1) if m else None


def places(trace):
    """({call: [which occurrences can fail]}, [(call, occurrence) where a file is opened first]), from 1, as in strace."""
    seen, can, files = {}, {}, {}
    for line in trace:
        call = name_of(line)
        if not call:
            continue
        seen[call] = seen.get(call, 0) + 1
        if call in NEVER or (call in NEVER_LINES and NEVER_LINES[call].search(line)):
            continue
        can.setdefault(call, []).append(seen[call])
        if file := re.search(r'"(?:[^"]*/)?([^"/]*)"', line) if call == "openat" else None:
            files.setdefault(file.group(1), (call, seen[call]))
    return can, files.values()


def cases(trace):
    """(call, error, occurrence): the first, the second and a late one of each call, and each file's first."""
    can, files = places(trace)
    for call, at in sorted(can.items()):
        chosen = sorted({at[0], at[min(1, len(at) - 1)], at[len(at) * 2 // 3]} | {n for c, n in files if c == call})
        errors = ERRORS.get(call)
        for k, n in enumerate(chosen):
            yield call, errors[k % len(errors)] if errors else None, n


# Where PID 1 can tell nobody, what the one who asked sees.
SEEN = {"sendmsg": "without an answer"}


def is_said(call, error, lines):
    texts = [os.strerror(getattr(errno, error)), SEEN.get(call, "\0")]
    return any(t in line for t in texts for line in lines)


def life(w):
    """What a day brings. What was answered badly."""
    bad = []

    def ask(*args):
        code, text = w.ctl(*args)
        if code != 0:
            bad.append(text)

    w.said.drain()
    w.said.seen = len(w.said.all)
    ask("status")
    w.kill(w.of("tool answer"), signal.SIGTERM)
    w.said.until("lazy: listening", 0.5)
    try:
        if not w.call():
            bad.append("connection: closed without an answer")
    except OSError as e:
        bad.append(f"connection: {e}")
    w.kill(w.of("sleep 1001"), signal.SIGKILL)
    w.said.until("again: ready", 0.5)
    ask("restart", "cell", "plain")
    ask("stop", "lazy", "again")
    ask("start", "lazy", "again")
    ask("status")
    return bad


def logger(w):
    """The logger dies, and another takes its place."""
    old = w.of("prior-logger")
    w.kill(old, signal.SIGKILL)
    w.said.until("logger-restarted", 0.5)
    return [] if w.asks_until(lambda: w.of("prior-logger") not in (0, old)) else ["no new logger"]


def reexec(w):
    """The binary on disk takes over."""
    code, text = w.ctl("reexec")
    return [] if code == 0 else [text]


def fault(w):
    """A fault of PID 1, and it comes back."""
    os.kill(w.pid, signal.SIGSEGV)
    w.said.until("prior-recovered", 0.5)

    def is_back():
        code, text = w.ctl("status", "--prior", "--json")
        return code == 0 and json.loads(text)["generation"] == 2

    return [] if w.asks_until(is_back) else ["it did not come back"]


def ending(w):
    """Everything ends in order."""
    os.kill(w.pid, signal.SIGTERM)
    w.ended()
    return []


SCENARIOS = [life, logger, reexec, fault, ending]
