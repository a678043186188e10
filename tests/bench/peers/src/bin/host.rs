//! `wharf-bench-host ours|bare PLUGIN LAUNCHES CROWD CALLS MIB`: starts the plugin so many times one after the other and
//! so many at once, makes calls and takes streams, all on a current-thread runtime, and prints one JSON object.
#![allow(clippy::print_stdout, reason = "a program that prints what it measured")]

use std::error::Error;
use std::process::Stdio;
use std::time::Instant;

use futures_util::future::try_join_all;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};
use wharf_bench_peers::COOKIE;
use wharf_bench_peers::pb::peer_client::PeerClient;
use wharf_bench_peers::pb::{Data, Plan};
use wharf_proto::handshake::Line;
use wharf_proto::tls::{self, Identity};
use wharf_supervisor::{Launch, Process};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Windows as the supervisor has them.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 32 << 20;

fn main() -> Fallible<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [kind, plugin, counts @ ..] = words.as_slice() else { return usage() };
    let counts: Vec<u32> = counts.iter().map(|count| count.parse()).collect::<Result<_, _>>()?;
    let [launches, crowd, calls, mebibytes] = counts[..] else { return usage() };
    let bare = match kind.as_str() {
        "bare" => true,
        "ours" => false,
        _ => return usage(),
    };
    let host = Host { bare, plugin: plugin.clone(), launches, crowd, calls, mebibytes };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(host.measure())?);
    Ok(())
}

fn usage() -> Fallible<()> {
    Err("usage: wharf-bench-host ours|bare PLUGIN LAUNCHES CROWD CALLS MIB".into())
}

struct Host {
    bare: bool,
    plugin: String,
    launches: u32,
    crowd: u32,
    calls: u32,
    mebibytes: u32,
}

/// A plugin that has answered.
struct Peer {
    client: PeerClient<Channel>,
    pid: u32,
    life: Life,
}

enum Life {
    Ours(Process),
    Bare(Box<Child>, TempDir),
}

impl Host {
    async fn measure(&self) -> Fallible<serde_json::Value> {
        let mut launch_ms = Vec::new();
        for _ in 0..self.launches {
            let begun = Instant::now();
            let peer = self.launch().await?;
            launch_ms.push(begun.elapsed().as_secs_f64() * 1_000.0);
            peer.stop().await?;
        }
        let begun = Instant::now();
        let crowd = try_join_all((0..self.crowd).map(|_| self.launch())).await?;
        let crowd_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        try_join_all(crowd.into_iter().map(Peer::stop)).await?;

        let mut peer = self.launch().await?;
        let rss_kib = resident(peer.pid)?;
        self.unary(&mut peer, self.calls / 10).await?;
        let unary_us = self.unary(&mut peer, self.calls).await?;
        let small = self.flow(&mut peer, 64 << 10).await?;
        let large = self.flow(&mut peer, 1 << 20).await?;
        peer.stop().await?;
        Ok(json!({
            "launch_ms": launch_ms, "crowd_ms": crowd_ms, "unary_us": unary_us, "rss_kib": rss_kib,
            "flow_64k_mib_s": small, "flow_1m_mib_s": large,
        }))
    }

    async fn launch(&self) -> Fallible<Peer> {
        let mut peer =
            if self.bare { self.launch_bare().await? } else { self.launch_ours().await? };
        peer.client.echo(Data { data: vec![0] }).await?;
        Ok(peer)
    }

    async fn launch_ours(&self) -> Fallible<Peer> {
        let process = Launch::new(&self.plugin).cookie(COOKIE.0, COOKIE.1).start().await?;
        let client = PeerClient::new(process.channel()).max_decoding_message_size(usize::MAX);
        Ok(Peer { client, pid: process.pid(), life: Life::Ours(process) })
    }

    async fn launch_bare(&self) -> Fallible<Peer> {
        let folder = tempfile::tempdir()?;
        let identity = Identity::generate()?;
        #[allow(clippy::disallowed_methods, reason = "the floor does without the supervisor")]
        let mut command = Command::new(&self.plugin);
        command.arg(folder.path()).arg(identity.pem()).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let first = BufReader::new(stdout).lines().next_line().await?.ok_or("no handshake")?;
        let line = Line::parse(first.as_bytes())?;
        let certificate = line.certificate.ok_or("no certificate")?;
        let connector = TlsConnector::from(tls::client_config(&identity, &certificate)?);
        let connect = tower::service_fn(move |_: Uri| {
            let (connector, path) = (connector.clone(), line.address.clone());
            async move {
                let stream = UnixStream::connect(path).await?;
                connector.connect(tls::server_name(), stream).await.map(TokioIo::new)
            }
        });
        let channel = Endpoint::from_static("http://localhost")
            .origin(Uri::from_static("https://localhost"))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .connect_with_connector(connect)
            .await?;
        let client = PeerClient::new(channel).max_decoding_message_size(usize::MAX);
        let pid = child.id().ok_or("it has ended")?;
        Ok(Peer { client, pid, life: Life::Bare(Box::new(child), folder) })
    }

    /// The median and the 99th percentile, in microseconds.
    async fn unary(&self, peer: &mut Peer, count: u32) -> Fallible<[f64; 2]> {
        let mut took = Vec::new();
        for _ in 0..count.max(1) {
            let begun = Instant::now();
            peer.client.echo(Data { data: vec![0; 64] }).await?;
            took.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        took.sort_by(f64::total_cmp);
        let last = took.len() - 1;
        Ok([took[last / 2], took[last * 99 / 100]])
    }

    /// MiB a second, in messages of so many bytes.
    async fn flow(&self, peer: &mut Peer, bytes: u32) -> Fallible<f64> {
        let count = (self.mebibytes << 10) / (bytes >> 10);
        let begun = Instant::now();
        let plan = Plan { count, bytes: u64::from(bytes) };
        let mut messages = peer.client.flow(plan).await?.into_inner();
        let mut seen = 0;
        while let Some(message) = messages.message().await? {
            seen += u64::try_from(message.data.len())?;
        }
        if seen != u64::from(count) * u64::from(bytes) {
            return Err(format!("{seen} bytes came").into());
        }
        Ok(f64::from(self.mebibytes) / begun.elapsed().as_secs_f64())
    }
}

impl Peer {
    async fn stop(self) -> Fallible<()> {
        match self.life {
            Life::Ours(process) => drop(process.stop().await),
            Life::Bare(mut child, folder) => {
                drop(child.stdin.take());
                child.wait().await?;
                folder.close()?;
            }
        }
        Ok(())
    }
}

/// In KiB.
fn resident(pid: u32) -> Fallible<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(number.parse()?)
}
