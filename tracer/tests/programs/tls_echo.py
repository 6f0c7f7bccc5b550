"""A TLS server that answers with what it got: prints its port when it is ready, stops when its stdin closes.

`tls_echo.py VERSION`: TLSv1_2 or TLSv1_3. It speaks `h2` by name (ALPN), and makes its own certificate.
"""

import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

from saying import say


def certificate(directory):
    key, cert = directory / "key.pem", directory / "cert.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-keyout", key, "-out", cert, "-subj", "/CN=service.test", "-days", "2"]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def serve(plain, context):
    try:
        with context.wrap_socket(plain, server_side=True) as stream:
            while data := stream.recv(4096):
                stream.sendall(data)
            stream.unwrap()
    except OSError as error:
        say(role="server", error=f"{type(error).__name__}: {error}")


def accept(listener, context):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], context), daemon=True).start()


def main():
    with tempfile.TemporaryDirectory() as directory:
        context = certificate(pathlib.Path(directory))
    context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[1]]
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, context), daemon=True).start()
    say(ready=True, port=listener.getsockname()[1])
    sys.stdin.read()


main()
