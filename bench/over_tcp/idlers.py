"""Clients for bench/idle: connections that ask once, idle, and ask once more when they are told to.

    idlers.py PORT COUNT SOURCE     COUNT connections from the address SOURCE, one GET on each; then prints how many
                                    were answered. For a line on standard input: the same on the same connections.
"""

import resource
import socket
import sys

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODY = b"Hello, World!"
PATIENCE = 30  # seconds for an answer


def connect(port, source):
    connection = socket.socket()
    # The port is chosen when it is known where to: it has to be free for this server only.
    connection.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
    connection.settimeout(PATIENCE)
    connection.bind((source, 0))
    connection.connect(("127.0.0.1", port))
    return connection


def is_answered(connection):
    try:
        connection.sendall(REQUEST)
        received = b""
        while not received.endswith(BODY):
            piece = connection.recv(4096)
            if not piece:
                return False
            received += piece
        return True
    except OSError:
        return False


def main():
    port, count, source = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    connections = []
    answered = 0
    for _ in range(count):
        connections.append(connect(port, source))
        answered += is_answered(connections[-1])
    print(answered, flush=True)
    for _ in sys.stdin:
        print(sum(map(is_answered, connections)), flush=True)


if __name__ == "__main__":
    main()
