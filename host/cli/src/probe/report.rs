//! What a probe found out: plain facts, in the form that programs are given.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use wharf_proto::handshake::Network;
use wharf_supervisor::{StopStep, Stopped};

use super::reflection;

/// Everything about one plugin that answered. Field names are an interface: added to, never
/// renamed. Texts from the plugin are as it sent them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    /// The program, as it was started.
    pub(crate) program: String,
    /// The `plugin.json` that was read for it.
    pub(crate) manifest: Option<String>,
    /// The variable of the magic cookie; its value is not told.
    pub(crate) cookie: String,
    /// The application protocol versions that it was offered: `1,2` or `0-99`.
    pub(crate) offered: String,
    /// The core protocol version.
    pub(crate) core_protocol: u32,
    /// The application protocol version that it chose.
    pub(crate) app_protocol: u32,
    /// `unix` or `tcp`.
    pub(crate) network: String,
    /// A socket's path, or `HOST:PORT`.
    pub(crate) address: String,
    /// What kind of place that is.
    pub(crate) address_kind: AddressKind,
    /// Encryption.
    pub(crate) tls: Tls,
    /// One socket for all connections.
    pub(crate) multiplexing: Multiplexing,
    /// What its health service says: a status such as `SERVING`, `missing`, or what went wrong.
    pub(crate) health: String,
    /// Which form of reflection answered.
    pub(crate) reflection: Option<reflection::Version>,
    /// The services that reflection lists, sorted.
    pub(crate) services: Vec<String>,
    /// Whether go-plugin's own services are there.
    #[serde(flatten)]
    pub(crate) own: OwnServices,
    /// From the wish to start to the handshake line.
    pub(crate) handshake_ms: f64,
    /// From the wish to start to the first answer to a call.
    pub(crate) first_call_ms: f64,
    /// How long one further call took.
    pub(crate) call_ms: f64,
    /// How it ended.
    pub(crate) stop: Stop,
    /// What else should be known, in sentences.
    pub(crate) notes: Vec<String>,
    /// The last lines that it wrote to standard error, oldest first.
    pub(crate) stderr: Vec<String>,
}

/// What kind of address a plugin announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AddressKind {
    /// A socket in the folder that it was given.
    Private,
    /// A socket in another folder.
    Elsewhere,
    /// TCP on this machine.
    Loopback,
    /// TCP that others can reach.
    Network,
}

impl AddressKind {
    /// `folder` is the one that the plugin was given.
    pub(super) fn of(network: Network, address: &str, folder: &Path) -> Self {
        if network == Network::Unix {
            let private = Path::new(address).parent() == Some(folder);
            return if private { Self::Private } else { Self::Elsewhere };
        }
        let host = address.rsplit_once(':').map_or(address, |(host, _port)| host);
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let loopback = ip.map_or(host == "localhost", |ip| ip.is_loopback());
        if loopback { Self::Loopback } else { Self::Network }
    }
}

/// How the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Tls {
    /// Whether it is: mutual, each side pinned to the other's certificate.
    pub(crate) on: bool,
    /// Whether it was asked for.
    pub(crate) asked: bool,
    /// What kind of key the plugin's certificate has: `ECDSA P-256`.
    pub(crate) key: Option<String>,
}

/// Whether all connections share one socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Multiplexing {
    /// Whether it was asked for.
    pub(crate) asked: bool,
    /// Whether it is so; nothing when it was not asked.
    pub(crate) answered: Option<bool>,
}

/// go-plugin's own services; nothing: it cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct OwnServices {
    /// `plugin.GRPCStdio`.
    pub(crate) stdio: Option<bool>,
    /// `plugin.GRPCBroker`.
    pub(crate) broker: Option<bool>,
    /// `plugin.GRPCController`.
    pub(crate) controller: Option<bool>,
}

/// How the plugin ended when it was asked to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Stop {
    /// What ended it: `shutdown`, `sigterm`, `sigkill`, or `ended` when it had gone before.
    pub(crate) step: &'static str,
    /// Until nothing was left of it.
    pub(crate) took_ms: f64,
    /// Its exit status.
    pub(crate) status: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// All of it in words.
    pub(crate) text: String,
}

impl From<&Stopped> for Stop {
    fn from(stopped: &Stopped) -> Self {
        let step = match stopped.step {
            StopStep::AlreadyEnded => "ended",
            StopStep::Shutdown => "shutdown",
            StopStep::Terminate => "sigterm",
            _ => "sigkill",
        };
        Self {
            step,
            took_ms: milliseconds(stopped.took),
            status: stopped.exit.code,
            signal: stopped.exit.signal,
            text: stopped.exit.to_string(),
        }
    }
}

/// With three digits behind the point: clocks know no more here.
pub(super) fn milliseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_by_who_can_reach_them() {
        let folder = Path::new("/run/x/p1");
        for (network, address, kind) in [
            (Network::Unix, "/run/x/p1/s", AddressKind::Private),
            (Network::Unix, "/tmp/plugin1", AddressKind::Elsewhere),
            (Network::Tcp, "127.0.0.1:1", AddressKind::Loopback),
            (Network::Tcp, "[::1]:1", AddressKind::Loopback),
            (Network::Tcp, "localhost:1", AddressKind::Loopback),
            (Network::Tcp, "0.0.0.0:1", AddressKind::Network),
            (Network::Tcp, "example.org:1", AddressKind::Network),
        ] {
            assert_eq!(AddressKind::of(network, address, folder), kind, "{address}");
        }
    }
}
