//! The part of a [`Launch`] that says how host and plugin reach each other.

use wharf_proto::handshake::Network;

use super::tls::Tls;
use super::{Launch, group};
use crate::connect::SocketPolicy;
use crate::error::Error;

/// The range that go-plugin's hosts name when they are not told otherwise.
const PORTS: (u16, u16) = (10_000, 25_000);

/// The caller's wishes.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) tls: Tls,
    pub(super) multiplex: bool,
    pub(super) policy: SocketPolicy,
    pub(super) network: Network,
    pub(super) ports: (u16, u16),
    pub(super) group: Option<String>,
    /// In bytes, for [`crate::calls`].
    pub(super) max_message: usize,
}

/// Four times what the contract allows.
pub(crate) const MAX_MESSAGE_BYTES: usize = 4 << 20;

impl Default for Wire {
    fn default() -> Self {
        Self {
            tls: Tls::Auto,
            multiplex: false,
            policy: SocketPolicy::Private,
            network: Network::Unix,
            ports: PORTS,
            group: None,
            max_message: MAX_MESSAGE_BYTES,
        }
    }
}

impl Wire {
    pub(super) fn check(&self) -> Result<(), Error> {
        let (first, last) = self.ports;
        if first > last {
            return Err(Error::config(
                format!("the range of TCP ports {first} to {last} is empty"),
                None,
            ));
        }
        Ok(())
    }

    pub(super) fn group_number(&self) -> Result<Option<u32>, Error> {
        self.group.as_deref().map(group::number).transpose()
    }
}

impl Launch {
    /// How connections are protected. Default: [`Tls::Auto`].
    pub fn tls(mut self, tls: Tls) -> Self {
        self.wire.tls = tls;
        self
    }

    /// Whether the broker's connections, and the main one, share one socket (go-plugin's gRPC broker
    /// multiplexing). A plugin that cannot do it is then refused. Default: no.
    pub fn multiplex(mut self, multiplex: bool) -> Self {
        self.wire.multiplex = multiplex;
        self
    }

    /// Which addresses of the plugin are dialled.
    pub fn socket_policy(mut self, policy: SocketPolicy) -> Self {
        self.wire.policy = policy;
        self
    }

    /// The kind of socket on which the host's side of the broker listens. What the plugin listens on
    /// is its own choice. Default: Unix.
    pub fn network(mut self, network: Network) -> Self {
        self.wire.network = network;
        self
    }

    /// The TCP ports that plugin and broker may listen on, if they use TCP. Both 0: any. Default:
    /// 10,000 to 25,000, as go-plugin's.
    pub fn ports(mut self, first: u16, last: u16) -> Self {
        self.wire.ports = (first, last);
        self
    }

    /// The group, a number or a name of `/etc/group`, whose members may use the sockets too. The
    /// private folder then belongs to it, with mode 0770; the folders above are the caller's affair.
    pub fn socket_group(mut self, group: impl Into<String>) -> Self {
        self.wire.group = Some(group.into());
        self
    }

    /// The largest message that is taken from the plugin by [`crate::calls`]. Clients that callers
    /// make on [`crate::Process::channel`] have tonic's own limit of 4 MiB until they are told
    /// otherwise by `max_decoding_message_size`; go-plugin's hosts take 2 GiB.
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.wire.max_message = bytes;
        self
    }
}
