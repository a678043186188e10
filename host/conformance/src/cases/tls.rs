//! Who may connect: the host of this start, and nobody else. Source: proto/README.md, section 3.

use std::io;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use wharf_peer::{Connection, Security, channel};
use wharf_proto::tls::{self, Identity};
use wharf_proto::v1::DescribeRequest;
use wharf_proto::v1::plugin_client::PluginClient;
use wharf_supervisor::{Handshake, Network};

use crate::bench::{Bench, SHORT};
use crate::verdict::{Finding, Verdict, failed};

const HINT: &str =
    "require a client certificate, and take none but the one in PLUGIN_CLIENT_CERT, byte for byte";

pub(super) fn none<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    refuses(bench, "a client that speaks no TLS", |_identity, _certificate| Ok(None)).boxed()
}

pub(super) fn anonymous<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    let without = |identity: &Identity, certificate: &[u8]| {
        let mut client = ClientConfig::clone(&*tls::client_config(identity, certificate)?);
        client.client_auth_cert_resolver = Arc::new(Nobody);
        let server = tls::server_config(identity, certificate)?;
        Ok(Some(Security { client: Arc::new(client), server }))
    };
    refuses(bench, "a client without a certificate", without).boxed()
}

pub(super) fn stranger<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    let other =
        |identity: &Identity, certificate: &[u8]| Security::pinned(identity, certificate).map(Some);
    refuses(bench, "a client with a certificate that it has never seen", other).boxed()
}

/// Shows no certificate, whoever asks.
#[derive(Debug)]
struct Nobody;

impl ResolvesClientCert for Nobody {
    fn resolve(&self, _roots: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

type How = fn(&Identity, &[u8]) -> Result<Option<Security>, tls::Error>;

/// In TLS 1.3 a client is done before the server has looked at its certificate, so only a call tells.
async fn refuses<'a>(bench: &'a Bench<'a>, who: &str, how: How) -> Verdict {
    let stage = bench.start().await?;
    let handshake = stage.process.handshake();
    let Some(certificate) = &handshake.certificate else {
        return failed("it printed no certificate", "see case handshake.line");
    };
    let untried =
        |reason: String| Finding::Skipped { reason, hint: "tell the makers of wharf".to_owned() };
    let identity = Identity::generate().map_err(|error| untried(error.to_string()))?;
    let security = how(&identity, certificate).map_err(|error| untried(error.to_string()))?;
    let answered = match timeout(SHORT, call(handshake, security.as_ref())).await {
        Err(_elapsed) => {
            return failed(format!("it lets {who} wait, neither serves nor refuses it"), HINT);
        }
        Ok(answered) => answered,
    };
    if answered {
        return failed(format!("it serves {who}"), HINT);
    }
    if let Err(error) = stage.process.ping(SHORT).await {
        return failed(
            format!("after {who} it does not serve its host any more: {error}"),
            "one bad connection is no reason to end",
        );
    }
    stage.process.stop().await;
    Ok(())
}

async fn call(handshake: &Handshake, security: Option<&Security>) -> bool {
    let Ok(connection) = dial(handshake, security).await else { return false };
    let again =
        || async { Err::<Connection, _>(io::Error::from(io::ErrorKind::ConnectionAborted)) };
    let Ok(channel) = channel(connection, again).await else { return false };
    PluginClient::new(channel).describe(DescribeRequest::default()).await.is_ok()
}

async fn dial(handshake: &Handshake, security: Option<&Security>) -> io::Result<Connection> {
    let connection: Connection = match handshake.network {
        Network::Unix => UnixStream::connect(&handshake.address).await?.into(),
        Network::Tcp => TcpStream::connect(&handshake.address).await?.into(),
    };
    connection.into_client(security).await
}
