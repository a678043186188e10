//! The same service on nothing but tonic: what host and plugin cost at least. Started with a folder for its socket; ends
//! with its standard input.
#![allow(clippy::print_stdout, reason = "it says where it listens")]

use std::error::Error;
use std::path::Path;

use tokio::io::AsyncReadExt as _;
use tokio::net::UnixListener;
use tokio_rustls::TlsAcceptor;
use tonic::transport::Server;
use wharf_bench_peers::Answers;
use wharf_bench_peers::pb::peer_server::PeerServer;
use wharf_proto::handshake::{Line, Network};
use wharf_proto::tls::{Identity, certificate_from_pem, server_config};

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(folder), Some(certificate)) = (words.next(), words.next()) else {
        return Err("usage: wharf-bench-bare FOLDER CERTIFICATE".into());
    };
    let identity = Identity::generate()?;
    let tls = server_config(&identity, &certificate_from_pem(&certificate)?)?;
    let path = Path::new(&folder).join("bare");
    let listener = UnixListener::bind(&path)?;
    println!(
        "{}",
        Line {
            app: 1,
            network: Network::Unix,
            address: path.display().to_string(),
            certificate: Some(identity.der().to_vec()),
            multiplexing: None,
        }
    );
    let acceptor = TlsAcceptor::from(tls);
    let incoming = async_stream(listener, acceptor);
    let mut nothing = Vec::new();
    let mut stdin = tokio::io::stdin();
    tokio::select! {
        served = Server::builder()
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(32 << 20)
            .add_service(PeerServer::new(Answers).max_decoding_message_size(usize::MAX))
            .serve_with_incoming(incoming) => served?,
        read = stdin.read_to_end(&mut nothing) => { read?; }
    }
    Ok(())
}

fn async_stream(
    listener: UnixListener,
    acceptor: TlsAcceptor,
) -> impl tokio_stream::Stream<
    Item = std::io::Result<tokio_rustls::server::TlsStream<tokio::net::UnixStream>>,
> {
    futures_util::stream::unfold((listener, acceptor), async |(listener, acceptor)| {
        let accepted = async { acceptor.accept(listener.accept().await?.0).await };
        let accepted = accepted.await;
        Some((accepted, (listener, acceptor)))
    })
}
