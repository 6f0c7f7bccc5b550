"""Makes HTTP/2 sessions of two processes on one connection with h2, hpack and hyperframe, and says what is in them.

One JSON line a session: its transfers [process, sent, bytes in hexadecimal], and what a report must say of each stream
and process. Arguments: a seed, and how many sessions.
"""

import collections
import json
import random
import sys

import h2.config
import h2.connection
import h2.events
import h2.settings
import hpack
from hyperframe import frame as frames

SEED, COUNT = int(sys.argv[1]), int(sys.argv[2])

METHODS = ["/helloworld.Greeter/SayHello", "/p.S/M", "/a.very.long.package.name.Service/SomeMethodOfIt", "/x.Y/Z"]
PATHS = ["/", "/index.html", "/a?token=secret", "/~user/it's(here)!", "/q?a=1&b=2#c", "/c++#top", "/%7Ea/b;c=d", "*", "?"]
VERBS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-"


class Session:
    """The transfers of a session, and what is in them."""

    def __init__(self, chance):
        self.chance = chance
        self.transfers = []
        self.rows = {}

    def row(self, stream, process):
        new = {"frames": [collections.Counter(), collections.Counter()], "messages": [0, 0]}
        return self.rows.setdefault((stream, process), new)

    def move(self, process, sent, data):
        """One transfer of whole frames; they are counted by what hyperframe reads in them."""
        self.transfers.append([process, sent, data.hex()])
        data = data.removeprefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        while data:
            kind, length = frames.Frame.parse_frame_header(memoryview(data[:9]))
            data = data[9 + length :]
            name = "other" if isinstance(kind, frames.ExtensionFrame) else type(kind).__name__
            names = {"DataFrame": "DATA", "HeadersFrame": "HEADERS", "PriorityFrame": "PRIORITY",
                     "RstStreamFrame": "RST_STREAM", "SettingsFrame": "SETTINGS", "PushPromiseFrame": "PUSH_PROMISE",
                     "PingFrame": "PING", "GoAwayFrame": "GOAWAY", "WindowUpdateFrame": "WINDOW_UPDATE",
                     "ContinuationFrame": "CONTINUATION"}
            self.row(kind.stream_id, process)["frames"][not sent][names.get(name, name)] += 1

    def say(self, stream, process, **what):
        self.row(stream, process).update(what)

    def lines(self):
        for (stream, process), row in self.rows.items():
            yield {"stream": stream, "process": process, **row}


def fields(chance):
    """Fields that nobody is interested in, many of them again and again."""
    for _ in range(chance.randrange(8)):
        name = chance.choice(["user-agent", "accept", "cookie", "authorization", "x-" + "".join(chance.choices(ALPHABET, k=9))])
        size = chance.choice([0, 1, 8, 40, 200, 1500]) if chance.random() < 0.3 else 8
        value = "".join(chance.choices(ALPHABET, k=size)) if chance.random() < 0.7 else "the same"
        yield (name, value, chance.random() < 0.2)


def request(chance):
    """A request's fields, and what must be told of them."""
    grpc = chance.random() < 0.6
    verb = "POST" if grpc else chance.choice(VERBS)
    path = chance.choice(METHODS if grpc else PATHS)
    if chance.random() < 0.2:
        path = "/" + "".join(chance.choices([chr(code) for code in range(0x21, 0x7F)], k=chance.randrange(60)))
    told = path.split("?")[0].split("#")[0] or None
    kind = chance.choice(["application/grpc", "application/grpc+proto"]) if grpc else "text/html"
    head = [(":method", verb), (":scheme", "http"), (":path", path), (":authority", "localhost")]
    return [*head, *fields(chance), ("content-type", kind)], grpc, {"verb": verb, "path": told, "whole": path}


def answer(chance, grpc):
    """The fields before and after a response's content, likewise."""
    status = 200 if grpc or chance.random() < 0.5 else chance.choice([204, 206, 304, 400, 404, 500, 418, 503, 302])
    kind = "application/grpc" if grpc else "text/html"
    code = chance.randrange(17)
    before = [(":status", str(status)), ("content-type", kind), *fields(chance)]
    after = [("grpc-status", str(code)), ("grpc-message", "it is a secret")] if grpc else None
    return before, after, {"status": status, **({"grpc_status": code} if grpc else {})}


def messages(chance):
    """Messages of gRPC, and how many."""
    count = chance.randrange(4)
    sizes = [chance.choice([0, 1, 5, 30, 300]) for _ in range(count)]
    return b"".join(b"\0" + size.to_bytes(4, "big") + chance.randbytes(size) for size in sizes), count


class Raw:
    """One direction by hpack and hyperframe alone: everything that the RFCs allow a sender."""

    def __init__(self, chance):
        self.chance = chance
        self.encoder = hpack.Encoder()

    def headers(self, stream, headers, end):
        chance = self.chance
        if chance.random() < 0.15:
            for _ in range(chance.randrange(1, 3)):
                # The size that it has already, said after another, would keep hpack from writing either.
                others = {0, 31, 100, 300, 1000, 4096} - {self.encoder.header_table_size}
                self.encoder.header_table_size = chance.choice(sorted(others))
        block = self.encoder.encode(headers, huffman=chance.random() < 0.7)
        cuts = sorted(chance.randrange(len(block) + 1) for _ in range(chance.choice([0, 0, 0, 1, 3])))
        parts = [block[at:to] for at, to in zip([0, *cuts], [*cuts, len(block)])]
        first = frames.HeadersFrame(stream, parts[0])
        if end:
            first.flags.add("END_STREAM")
        if chance.random() < 0.2:
            first.flags.add("PADDED")
            first.pad_length = chance.randrange(256)
        if chance.random() < 0.2:
            first.flags.add("PRIORITY")
            first.depends_on, first.stream_weight = 0, chance.randrange(256)
        all_frames = [first, *(frames.ContinuationFrame(stream, part) for part in parts[1:])]
        all_frames[-1].flags.add("END_HEADERS")
        return b"".join(one.serialize() for one in all_frames)

    def data(self, stream, content, end):
        out = b""
        cuts = sorted(self.chance.randrange(len(content) + 1) for _ in range(self.chance.choice([0, 0, 1, 2])))
        parts = [content[at:to] for at, to in zip([0, *cuts], [*cuts, len(content)])]
        for part in parts:
            one = frames.DataFrame(stream, part)
            if self.chance.random() < 0.2:
                one.flags.add("PADDED")
                one.pad_length = self.chance.randrange(256)
            if end and part is parts[-1]:
                one.flags.add("END_STREAM")
            out += one.serialize()
        return out

    def between(self):
        """What may stand between: frames that say nothing of calls."""
        one = self.chance.choice([
            frames.PingFrame(0, self.chance.randbytes(8)),
            frames.WindowUpdateFrame(0, window_increment=9),
            frames.SettingsFrame(0, settings={1: 4096, 4: 70000}),
            frames.ExtensionFrame(0x42, 0, flag_byte=0xA5, body=self.chance.randbytes(20)),
        ])
        if isinstance(one, frames.ExtensionFrame):
            one.body_len = len(one.body)
        return one.serialize()

    def promise(self, stream, promised):
        block = self.encoder.encode([(":method", "GET"), (":path", f"/pushed/{promised}"), ("x", "y")])
        one = frames.PushPromiseFrame(stream, promised, block)
        one.flags.add("END_HEADERS")
        return one.serialize()


def raw(chance):
    """A session by hpack and hyperframe."""
    session = Session(chance)
    client, server = Raw(chance), Raw(chance)
    session.move(0, True, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames.SettingsFrame(0).serialize())
    session.move(0, False, frames.SettingsFrame(0, settings={3: 100}).serialize())
    for number in range(chance.randrange(1, 12)):
        stream, process = 2 * number + 1, chance.randrange(2)
        headers, grpc, told = request(chance)
        session.say(stream, process, opened=True, **told)
        content, count = messages(chance) if grpc else (chance.randbytes(chance.randrange(300)), 0)
        sent = client.headers(stream, headers, False) + client.data(stream, content, True)
        if chance.random() < 0.3:
            sent = client.between() + sent
        session.move(process, True, sent)
        session.row(stream, process)["messages"][0] = count if grpc else None
        reader = process if chance.random() < 0.9 else 1 - process
        ending = chance.random()
        if ending < 0.1:
            code = chance.randrange(14)
            one = frames.RstStreamFrame(stream, error_code=code).serialize()
            by_us = chance.random() < 0.5
            session.move(process if by_us else reader, by_us, one)
            session.say(stream, process if by_us else reader, **{"reset_sent" if by_us else "reset_received": code})
            continue
        got = server.between() if ending < 0.3 else b""
        if 0.3 < ending < 0.35:
            got += server.promise(stream, 2 * number + 2)
        before, after, told = answer(chance, grpc)
        content, count = messages(chance) if grpc else (chance.randbytes(chance.randrange(300)), 0)
        got += server.headers(stream, before, False) + server.data(stream, content, after is None)
        if after:
            got += server.headers(stream, after, True)
        session.move(reader, False, got)
        session.say(stream, reader, **told)
        session.row(stream, reader)["messages"][1] = count if grpc else None
    session.move(0, False, frames.GoAwayFrame(0, 7, 11, b"too many secrets").serialize())
    return session, {"last_stream": 7, "error": 11}


def by_h2(chance):
    """A session between two connections of h2."""
    session = Session(chance)
    client, server = (
        h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=side, header_encoding=None, validate_inbound_headers=False, split_outbound_cookies=False))
        for side in (True, False)
    )
    client.initiate_connection()
    server.initiate_connection()

    def send(process):
        data = client.data_to_send()
        if data:
            session.move(process, True, data)
            server.receive_data(data)

    def receive(process):
        data = server.data_to_send()
        if data:
            session.move(process, False, data)
            client.receive_data(data)

    send(0), receive(0), send(0)
    for _ in range(chance.randrange(1, 12)):
        process = chance.randrange(2)
        if chance.random() < 0.2:
            side = chance.choice([client, server])
            side.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: chance.choice([0, 100, 1000, 4096, 20000])})
            send(0), receive(0), send(0)
        stream = client.get_next_available_stream_id()
        headers, grpc, told = request(chance)
        headers = [hpack.NeverIndexedHeaderTuple(*one[:2]) if one[2:] == (True,) else one[:2] for one in headers]
        session.say(stream, process, opened=True, **told)
        bodiless = told["verb"] == "HEAD"
        client.send_headers(stream, headers)
        content, count = messages(chance) if grpc else (chance.randbytes(chance.randrange(300)), 0)
        client.send_data(stream, content, end_stream=True, pad_length=chance.choice([None, 0, 20]))
        send(process)
        session.row(stream, process)["messages"][0] = count if grpc else None
        before, after, told = answer(chance, grpc)
        server.send_headers(stream, [one[:2] for one in before])
        content, count = messages(chance) if grpc else (chance.randbytes(chance.randrange(300)), 0)
        content = b"" if bodiless else content
        server.send_data(stream, content, end_stream=after is None)
        if after:
            server.send_headers(stream, after, end_stream=True)
        session.say(stream, process, **told)
        session.row(stream, process)["messages"][1] = count if grpc else None
        receive(process)
    server.close_connection(error_code=2, last_stream_id=1)
    receive(0)
    return session, {"last_stream": 1, "error": 2}


for number in range(COUNT):
    source = random.Random(f"{SEED} {number}")
    made, goaway = (raw if number % 3 else by_h2)(source)
    print(json.dumps({"transfers": made.transfers, "goaway": goaway, "rows": list(made.lines())}))
