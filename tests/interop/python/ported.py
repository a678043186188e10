"""A plugin on python-plugin, a port of the Go library."""
from grpclib_peer import PeerPlugin
from pyplugin import HandshakeConfig, ServeConfig, serve

serve(ServeConfig(
    handshake_config=HandshakeConfig(
        protocol_version=1, magic_cookie_key="INTEROP_PLUGIN",
        magic_cookie_value="a plugin of the interop tests"),
    plugins={"peer": PeerPlugin()},
))
