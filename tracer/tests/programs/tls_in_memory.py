"""asyncio over TLS: it carries OpenSSL's bytes in memory, and sends and receives them itself.

`PORT`: of a TLS server that answers with what it gets.
"""

import asyncio
import ssl
import sys

from saying import say


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]), ssl=context)
    writer.write(b"hello")
    say(role="parent", answer=(await reader.readexactly(5)).decode())
    writer.close()


asyncio.run(main())
