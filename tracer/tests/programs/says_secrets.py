"""Says secrets on connections of many protocols, whole and in pieces: none may be in a recording's headers."""

import json
import socket

# Put together here, so that it is no word of a command line.
SECRET = "".join(["~Zq", "#Kw~"])

CONVERSATIONS = [
    ["GET /@?key=@ HTTP/1.1\r\nHost: @\r\nCookie: @\r\n\r\n", "HTTP/1.1 200 @\r\nSet-Cookie: @\r\n\r\n@"],
    ["GET http://u:@@h/@", "", " HTTP/1.1\r\nHost: @\r\n\r\n@", "HTTP/1.1 404 @\r\n\r\n"],
    ["PUT @", "@", "@", "@"],
    ["GET apikey=@", "", "@\r\n", "@"],
    ["PUT @\r\n@", "@"],
    ["@", "@"],
    ["*3\r\n$4\r\nAU", "", "TH\r\n$7\r\n@\r\n$7\r\n@\r\n", "+@\r\n", "*3\r\n$3\r\nSET\r\n$7\r\n@\r\n$7\r\n@\r\n", "-@\r\n"],
    ["\0\0\0\x17\0\x03\0\0user\0@\0\0\0", "R\0\0\0\x0c\0\0\0\x05abcd", "p\0\0\0\x0c@\0", "Z\0\0\0\x05I",
     "Q\0\0\0\x13select @\0", "D\0\0\0\x0b@Z\0\0\0\x05I"],
    ["", "\x28\0\0\0\x0a8.@\0" + "." * 29, "\x07\0\0\x01@", "\x07\0\0\x02@", "\x0f\0\0\0\x03select @", "\x07\0\0\x01@"],
    ["", "\x4a\0\0\0\x0a8.0.@", "@", "@"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x3f\x01\x04\0\0\0\x01\x42\x04POST\x44\x0c/p?k=@"
     "\x10\x06cookie\x07@\0\x07@\x07@\x1f\x08\x07@\0\0\x07\0\x01\0\0\0\x01@",
     "\0\0\0\x04\0\0\0\0\0\0\0\x24\x01\x04\0\0\0\x01\x48\x03200\x77\x07@\0\x0cgrpc-message\x07@\0\0\x07\0\x01\0\0\0\x01@",
     "\0\0\x0f\x07\0\0\0\0\0\0\0\0\0\0\0\0\0@"],
]


def receive(end, count, piece):
    while count:
        count -= len(end.recv(min(count, piece)))


with socket.create_server(("127.0.0.1", 0)) as server:
    said = 0
    for conversation in CONVERSATIONS:
        for piece in [1, 5, 11, 4096]:
            with socket.create_connection(server.getsockname()) as client, server.accept()[0] as other:
                for turn, text in enumerate(conversation):
                    data = text.replace("@", SECRET).encode("latin-1")
                    ends = [client, other] if turn % 2 == 0 else [other, client]
                    for at in range(0, len(data), piece):
                        ends[0].sendall(data[at : at + piece])
                    receive(ends[1], len(data), piece + 2)
                    said += text.count("@")
print(json.dumps({"said": said}))
