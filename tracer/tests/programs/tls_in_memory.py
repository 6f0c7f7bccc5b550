"""TLS whose bytes the program carries in memory between OpenSSL and the socket.

`asyncio PORT`: asyncio sends and receives them itself.
`threads PORT`: one thread speaks with OpenSSL, others send and receive.
The server answers with what it gets.
"""

import asyncio
import queue
import socket
import ssl
import sys
import threading

from saying import say

SECONDS = 10
MODE, PORT = sys.argv[1], int(sys.argv[2])
REQUEST = b"GET / HTTP/1.1\r\nHost: service.test\r\n\r\n"

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


async def in_one_thread():
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT, ssl=context)
    writer.write(REQUEST)
    answer = await reader.readexactly(len(REQUEST))
    writer.close()
    return answer


def send(stream, sent):
    while True:
        stream.sendall(sent.get())


def receive(stream, received):
    while data := stream.recv(65536):
        received.put(data)


def in_two_threads():
    stream = socket.create_connection(("127.0.0.1", PORT))
    sent, received = queue.Queue(), queue.Queue()
    threading.Thread(target=send, args=(stream, sent), daemon=True).start()
    threading.Thread(target=receive, args=(stream, received), daemon=True).start()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing)

    def until_done(step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                if outgoing.pending:
                    sent.put(outgoing.read())
                incoming.write(received.get(timeout=SECONDS))

    until_done(session.do_handshake)
    session.write(REQUEST)
    answer = b""
    while len(answer) < len(REQUEST):
        answer += until_done(lambda: session.read(4096))
    return answer


answer = asyncio.run(in_one_thread()) if MODE == "asyncio" else in_two_threads()
say(role="parent", whole=answer == REQUEST)
