"""A host on python-plugin, a port of the Go library. Prints what came of each step as JSON.

    host.py COOKIE_KEY COOKIE_VALUE mtls|plain PROGRAM [ARGUMENTS]
"""
import asyncio
import json
import sys

from grpclib.health.v1 import health_grpc, health_pb2
from interop_pb2 import Call, Data, Number, Plan

from grpclib_peer import Peer, PeerPlugin
from pyplugin import Client, ClientConfig, HandshakeConfig


async def echo(client, peer):
    assert (await peer.Echo(Data(data=b"hello"))).data == b"hello"


async def sum_up(client, peer):
    async with peer.Sum.open() as stream:
        total = 0
        for value in range(1, 7):
            await stream.send_message(Number(value=value))
            total += value
            assert (await stream.recv_message()).value == total
        await stream.end()
        assert await stream.recv_message() is None


async def flow(client, peer):
    answers = await peer.Flow(Plan(count=20, bytes=1000))
    assert [len(answer.data) for answer in answers] == [1000] * 20


async def callback(client, peer):
    number = client.broker.next_id()
    await client.broker.accept_and_serve(number, [Peer()])
    assert (await peer.CallBack(Call(id=number, text="hello"))).text == "hello"


async def health(client, peer):
    stub = health_grpc.HealthStub(client._channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service="plugin"))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


STEPS = {"echo": echo, "sum": sum_up, "flow": flow, "callback": callback, "health": health}


async def main():
    key, value, tls, *command = sys.argv[1:]
    handshake = HandshakeConfig(protocol_version=1, magic_cookie_key=key, magic_cookie_value=value)
    config = ClientConfig(handshake_config=handshake, plugins={"peer": PeerPlugin()}, cmd=command,
                          auto_mtls=tls == "mtls")
    results = {}
    async with Client(config) as client:
        peer, process = client.dispense("peer"), client._proc
        for name, step in STEPS.items():
            try:
                await asyncio.wait_for(step(client, peer), 10)
                results[name] = "ok"
            except Exception as error:  # whatever it is, it is the result
                results[name] = repr(error)
    status = process.wait(5)
    results["exit"] = "ok" if status == 0 else str(status)
    print(json.dumps(results))


asyncio.run(main())
