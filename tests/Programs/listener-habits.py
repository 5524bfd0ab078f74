"""What servers do with their listeners, and clients that must be served all the same.

listener-habits.py serve HABIT PORT | ask HOST PORT CONNECTIONS | change HOST PORT

A client that says "change" has the server do what its habit is; every other one is told that it is served. With one connection
open at a time nobody is refused, so whoever is not served at once waits for a server that does not look.
"""
import array
import ctypes
import os
import select
import socket
import subprocess
import sys

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
SIGKILL = 9
HIGH = 100  # a descriptor above those that libraries look at
SYS_CLOSE = {"x86_64": 3, "aarch64": 57}[os.uname().machine]


def listen(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen(64)
    return listener


def answer(connection, change):
    changed = change() if connection.recv(10) == b"change" else None
    connection.sendall(b"served")
    # Whoever closes first keeps the port for a while.
    connection.recv(1)
    connection.close()
    return changed


def serve(listener, change):
    """An event loop around epoll, as most have it."""
    events = select.epoll()
    while True:
        listener.setblocking(False)
        events.register(listener, select.EPOLLIN)
        changed = None
        while not changed:
            events.poll()
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                continue
            connection.setblocking(True)
            changed = answer(connection, lambda: change(listener, events))
        listener = changed


def nothing(listener, events):
    pass


def child_closes_everything(listener, events):
    """redis-server's child for a snapshot, a daemon's for its work."""
    child = os.fork()
    if child == 0:
        os.closerange(3, 4096)
        os._exit(0)
    os.waitpid(child, 0)


def child_runs_a_program(listener, events):
    """subprocess by fork (preexec_fn, user=) and by vfork."""
    subprocess.run(["true"], preexec_fn=lambda: None, check=True)
    subprocess.run(["true"], check=True)


def closes_by_system_call(listener, events):
    """libuv closes so; and somebody listens at the same port soon after."""
    port = listener.getsockname()[1]
    LIBC.syscall(SYS_CLOSE, listener.detach())
    return listen(port)


def becomes_another_program(listener, events):
    """An upgrade in place: the listener is inherited at a high number, and nobody calls listen() again."""
    os.dup2(listener.fileno(), HIGH, inheritable=True)
    os.execv(sys.executable, [sys.executable, sys.argv[0], "inherited", str(HIGH)])


def hands_over(listener, events):
    """HAProxy's -x, s6-fdholder: over a unix socket to a program that puts it into epoll."""
    ours, theirs = socket.socketpair()
    subprocess.Popen([sys.executable, sys.argv[0], "received", str(theirs.fileno())], pass_fds=[theirs.fileno()])
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener.fileno()]))])
    ours.recv(1)
    events.unregister(listener)


def stranger_serves(listener, events):
    """Dovecot's master: it waits, and processes without its environment accept."""
    os.set_inheritable(listener.fileno(), True)
    subprocess.Popen([sys.executable, sys.argv[0], "blocking", str(listener.fileno())], env={"PATH": "/usr/bin:/bin"}, close_fds=False)
    events.unregister(listener)


HABITS = {
    habit.__name__.replace("_", "-"): habit
    for habit in (
        child_closes_everything, child_runs_a_program, closes_by_system_call, becomes_another_program, hands_over, stranger_serves)
}


def ask(host, port, word):
    with socket.create_connection((host, port), 20) as connection:
        connection.sendall(word)
        return connection.recv(10)


def main(what, *words):
    if what == "serve":
        serve(listen(int(words[1])), HABITS[words[0]])
    elif what == "inherited":
        serve(socket.socket(fileno=int(words[0])), nothing)
    elif what == "received":
        LIBC.prctl(PR_SET_PDEATHSIG, SIGKILL)
        ours = socket.socket(fileno=int(words[0]))
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
        ours.sendall(b"x")
        serve(socket.socket(fileno=array.array("i", ancillary[0][2])[0]), nothing)
    elif what == "blocking":
        LIBC.prctl(PR_SET_PDEATHSIG, SIGKILL)
        listener = socket.socket(fileno=int(words[0]))
        listener.setblocking(True)
        while True:
            connection, _ = listener.accept()
            answer(connection, lambda: None)
    elif what == "change":
        # One that becomes another program does not answer.
        print(ask(words[0], int(words[1]), b"change").decode() or "ended")
    else:
        served = sum(ask(words[0], int(words[1]), b"hello") == b"served" for _ in range(int(words[2])))
        print(served, "served")


main(*sys.argv[1:])
