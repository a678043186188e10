//! A minimal plugin on the SDK.

use std::process::ExitCode;

use tonic::service::Routes;
use wharf_bench_peers::pb::peer_server::PeerServer;
use wharf_bench_peers::{Answers, COOKIE};
use wharf_sdk::goplugin::Server;

fn main() -> ExitCode {
    Server::new(COOKIE.0, COOKIE.1)
        .version(1, |_context| Routes::new(PeerServer::new(Answers)))
        .serve()
}
