//! How a running plugin is found by a host that did not start it.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use wharf_peer::Address;

/// A running plugin, for a host to attach to. As text it is the JSON object that applications of go-plugin exchange:
///
/// `{"Protocol":"grpc","ProtocolVersion":1,"Pid":123,"Test":true,"Addr":{"Network":"unix","String":"/tmp/plugin1"}}`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reattach {
    /// The version of the application's protocol that is served.
    pub protocol_version: u32,
    /// The process.
    pub pid: u32,
    /// Always: a host leaves the process alone when it detaches.
    pub test: bool,
    /// `unix` or `tcp`.
    pub network: String,
    /// A path, or `host:port`.
    pub address: String,
}

impl Reattach {
    pub(super) fn new(protocol_version: u32, address: &Address) -> Self {
        Self {
            protocol_version,
            pid: std::process::id(),
            test: true,
            network: address.network.to_string(),
            address: address.text.clone(),
        }
    }
}

struct Addr<'a>(&'a Reattach);

impl Serialize for Addr<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Addr", 2)?;
        object.serialize_field("Network", &self.0.network)?;
        object.serialize_field("String", &self.0.address)?;
        object.end()
    }
}

impl Serialize for Reattach {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Reattach", 5)?;
        object.serialize_field("Protocol", "grpc")?;
        object.serialize_field("ProtocolVersion", &self.protocol_version)?;
        object.serialize_field("Pid", &self.pid)?;
        object.serialize_field("Test", &self.test)?;
        object.serialize_field("Addr", &Addr(self))?;
        object.end()
    }
}

impl fmt::Display for Reattach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_no_object| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use wharf_proto::handshake::Network;

    use super::*;

    // P59
    #[test]
    fn a_description_is_the_object_that_hosts_know() {
        let address = Address { network: Network::Unix, text: "/tmp/a \"b\"".to_owned() };
        let description = Reattach { pid: 123, ..Reattach::new(6, &address) };
        assert_eq!(
            description.to_string(),
            r#"{"Protocol":"grpc","ProtocolVersion":6,"Pid":123,"Test":true,"Addr":{"Network":"unix","String":"/tmp/a \"b\""}}"#
        );
    }
}
