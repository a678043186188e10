//! How a running plugin is described to another host.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wharf_proto::handshake::Network;

use super::{Process, private};
use crate::error::Error;
use crate::launch::Launch;

/// Where a plugin runs and listens: what another host needs to use it.
///
/// Its JSON form is the one that applications of go-plugin use, most often in a variable and under
/// a name of their own:
///
/// ```
/// let text = r#"{"kv":{"Protocol":"grpc","ProtocolVersion":6,"Pid":123,"Test":true,
///     "Addr":{"Network":"unix","String":"/tmp/plugin1"}}}"#;
/// let plugins: std::collections::BTreeMap<String, wharf_supervisor::Reattach> =
///     serde_json::from_str(text)?;
/// assert_eq!((plugins["kv"].pid, plugins["kv"].address.as_str()), (123, "/tmp/plugin1"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Reattach {
    /// `grpc`. Empty means `netrpc`, as in go-plugin; that and every other word is refused.
    pub protocol: String,
    /// The application protocol version that it speaks.
    pub protocol_version: u32,
    /// Its process.
    pub pid: u32,
    /// Whether it belongs to a test or a debugger: then it is never ended by a host.
    pub test: bool,
    /// The kind of socket that it listens on.
    pub network: Network,
    /// A path, or `host:port`.
    pub address: String,
}

impl Reattach {
    /// Whether nobody but its user can be at its address, and that user is who we are: a Unix socket
    /// in a folder of ours with mode 0700, at which a process of ours listens. Nothing else may be
    /// dialled without TLS.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn is_private(&self) -> Result<(), String> {
        private::check(self.network, Path::new(&self.address))
    }

    /// Attaches to it with the defaults of [`Launch::reattach`].
    ///
    /// # Errors
    /// `launch`: there is no such process, or nobody answers at its address. The process is left
    /// alone.
    pub async fn attach(self) -> Result<Process, Error> {
        Launch::reattach(self).start().await
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Form {
    #[serde(default)]
    protocol: String,
    #[serde(default)]
    protocol_version: u32,
    pid: u32,
    #[serde(default)]
    test: bool,
    addr: Addr,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Addr {
    network: String,
    string: String,
}

impl TryFrom<Form> for Reattach {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let Form { protocol, protocol_version, pid, test, addr } = form;
        let network = Network::from_word(&addr.network).ok_or_else(|| {
            format!("the network \"{}\" is not known; known are unix and tcp", addr.network)
        })?;
        Ok(Self { protocol, protocol_version, pid, test, network, address: addr.string })
    }
}

impl From<Reattach> for Form {
    fn from(description: Reattach) -> Self {
        let Reattach { protocol, protocol_version, pid, test, network, address } = description;
        let addr = Addr { network: network.to_string(), string: address };
        Self { protocol, protocol_version, pid, test, addr }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // H118
    #[test]
    fn a_description_survives_its_json_form() {
        let text = r#"{"Protocol":"grpc","ProtocolVersion":6,"Pid":123,"Test":true,"Addr":{"Network":"tcp","String":"127.0.0.1:7"}}"#;
        let description: Reattach = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&description).unwrap(), text);
        let short = r#"{"Pid":1,"Addr":{"Network":"unix","String":"/s"}}"#;
        let short: Reattach = serde_json::from_str(short).unwrap();
        assert_eq!((short.protocol.as_str(), short.test), ("", false));
        let wrong = r#"{"Pid":1,"Addr":{"Network":"udp","String":"/s"}}"#;
        let error = serde_json::from_str::<Reattach>(wrong).unwrap_err();
        assert!(error.to_string().contains("udp"), "{error}");
    }
}
