"""Sets and gets values of many sizes on several connections at once, and compares: memcached-compare.py HOST PORT CONNECTIONS"""
import random
import socket
import sys
import threading

VALUES = 100
host, port, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
right = []


def command(stream, line):
    stream.write(line + b"\r\n")
    stream.flush()
    return stream.readline().rstrip(b"\r\n")


def talk(number):
    chance = random.Random(number)
    with socket.create_connection((host, port), 30) as connection, connection.makefile("rwb") as stream:
        values = {b"%d-%d" % (number, value): chance.randbytes(chance.choice((1, 100, 10_000, 300_000))) for value in range(VALUES)}
        for key, value in values.items():
            assert command(stream, b"set %s 0 0 %d\r\n%s" % (key, len(value), value)) == b"STORED"
        for key, value in values.items():
            assert command(stream, b"get " + key) == b"VALUE %s 0 %d" % (key, len(value))
            assert stream.read(len(value) + 2) == value + b"\r\n"
            assert stream.readline() == b"END\r\n"
            right.append(key)


threads = [threading.Thread(target=talk, args=(number,)) for number in range(connections)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(right) == connections * VALUES
print(len(right), "right")
