"""asyncio's streams: a server that answers what it is sent, and a client with many connections that compares.

asyncio-echo.py serve PORT | talk HOST PORT CONNECTIONS
"""
import asyncio
import random
import struct
import sys

MESSAGES = 20


async def answer(reader, writer):
    # The peer as the server sees it comes first, for the client to compare with its own name.
    peer = "%s %d" % writer.get_extra_info("peername")[:2]
    writer.write(struct.pack("!I", len(peer)) + peer.encode())
    try:
        while True:
            head = await reader.readexactly(4)
            writer.write(head + await reader.readexactly(struct.unpack("!I", head)[0]))
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def serve(port):
    async with await asyncio.start_server(answer, "0.0.0.0", port) as server:
        await server.serve_forever()


async def receive(reader):
    return await reader.readexactly(struct.unpack("!I", await reader.readexactly(4))[0])


async def talk(host, port, seed):
    reader, writer = await asyncio.open_connection(host, port)
    name, peer = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
    assert peer == (host, port), peer
    seen = (await receive(reader)).decode()
    assert seen == "%s %d" % name, (seen, name)
    chance = random.Random(seed)
    for _ in range(MESSAGES):
        message = chance.randbytes(chance.randrange(200_000))
        writer.write(struct.pack("!I", len(message)) + message)
        answered, _ = await asyncio.gather(receive(reader), writer.drain())
        assert answered == message
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    return name[0]


async def talk_all(host, port, connections):
    names = await asyncio.gather(*(talk(host, port, seed) for seed in range(connections)))
    print(f"{connections * MESSAGES} right on {connections} connections from {' '.join(set(names))}")


if sys.argv[1] == "serve":
    asyncio.run(serve(int(sys.argv[2])))
else:
    asyncio.run(asyncio.wait_for(talk_all(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])), 50))
