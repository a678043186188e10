"""The interop service on grpclib, for plugin and host on python-plugin."""
import os

from interop_grpc import PeerBase, PeerStub
from interop_pb2 import About, Data, Id, Nothing, Number, Size, Text
from pyplugin import Plugin


async def echo_through(broker, number, text):
    """Says something through a brokered connection, and what comes back."""
    channel = await broker.dial(number)
    try:
        answer = await PeerStub(channel).Echo(Data(data=text.encode()))
        return answer.data.decode()
    finally:
        channel.close()


class Peer(PeerBase):
    def __init__(self, broker=None):
        self.broker = broker

    async def Echo(self, stream):
        await stream.send_message(await stream.recv_message())

    async def Make(self, stream):
        request = await stream.recv_message()
        await stream.send_message(Data(data=bytes(request.bytes)))

    async def Measure(self, stream):
        request = await stream.recv_message()
        await stream.send_message(Size(bytes=len(request.data)))

    async def Flow(self, stream):
        request = await stream.recv_message()
        for _ in range(request.count):
            await stream.send_message(Data(data=bytes(request.bytes)))

    async def Sum(self, stream):
        total = 0
        async for number in stream:
            total += number.value
            await stream.send_message(Number(value=total))

    async def CallBack(self, stream):
        request = await stream.recv_message()
        await stream.send_message(Text(text=await echo_through(self.broker, request.id, request.text)))

    async def Offer(self, stream):
        await stream.recv_message()
        number = self.broker.next_id()
        await self.broker.accept_and_serve(number, [Peer()])
        await stream.send_message(Id(id=number))

    async def Tell(self, stream):
        await stream.recv_message()
        await stream.send_message(About(version=1, library="python-plugin", pid=os.getpid(),
                                        environment=dict(os.environ)))

    async def nothing(self, stream):
        await stream.recv_message()
        await stream.send_message(Nothing())

    Print = Log = Hang = Panic = Exit = nothing


class PeerPlugin(Plugin):
    def servicers(self, broker):
        return [Peer(broker)]

    def stub(self, broker, channel):
        return PeerStub(channel)
