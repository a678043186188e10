//! gRPC health checking, for the service name that go-plugin uses.

use std::error::Error as _;

use tonic::Code;
use tonic::transport::Channel;
use wharf_proto::health::HealthCheckRequest;
use wharf_proto::health::health_check_response::ServingStatus;
use wharf_proto::health::health_client::HealthClient;

use crate::text::{excerpt, root};

const SERVICE: &str = "plugin";
/// How much of a failure is told.
const MESSAGE_BYTES: usize = 500;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Serving,
    /// The plugin answers, but offers no health service, or one that does not know the name.
    Missing,
    /// It says that it does not serve: the status' name.
    NotServing(&'static str),
    /// No proper answer at all.
    Failed(String),
}

/// Asks once. Has no deadline of its own.
pub(crate) async fn check(channel: Channel) -> Health {
    let request = HealthCheckRequest { service: SERVICE.to_owned() };
    match HealthClient::new(channel).check(request).await {
        Ok(answer) => match answer.into_inner().status() {
            ServingStatus::Serving => Health::Serving,
            other => Health::NotServing(other.as_str_name()),
        },
        Err(status) => match status.code() {
            Code::Unimplemented | Code::NotFound => Health::Missing,
            // It did not come from the plugin (F31).
            _ if status.source().is_some() => {
                let text = excerpt(&root(&status), MESSAGE_BYTES);
                Health::Failed(format!("the HTTP/2 connection broke: {text}"))
            }
            code => {
                let text = excerpt(status.message(), MESSAGE_BYTES);
                Health::Failed(format!("{code:?}: {text}"))
            }
        },
    }
}
