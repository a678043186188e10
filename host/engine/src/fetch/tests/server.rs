//! An HTTP server that does exactly what a script says, on the level of bytes.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What a script does with a request, in order; without `Close` the connection stays open.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Send(Vec<u8>),
    /// Sends these bytes until the peer goes away.
    Forever(Vec<u8>),
    /// Sends nothing until the peer goes away.
    Hang,
    Close,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    head: String,
    /// How many requests with this path came before.
    pub(super) before: usize,
    pub(super) connection: usize,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The first byte asked for.
    pub(super) fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

type Script = dyn Fn(&Seen) -> Vec<Step> + Send + Sync;

impl Server {
    pub(super) async fn start(script: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", script).await
    }

    pub(super) async fn start_at(
        address: &str,
        script: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::new(script), Arc::clone(&seen)));
        Self { address, seen, _tasks: tasks }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, script: Arc<Script>, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut connections = JoinSet::new();
    for connection in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        connections.spawn(serve(stream, connection, Arc::clone(&script), Arc::clone(&seen)));
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    while let Some(head) = head(&mut stream).await {
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let request = {
            let mut seen = seen.lock().unwrap();
            let before = seen.iter().filter(|other| other.path == path).count();
            seen.push(Seen { path, head, before, connection });
            seen.last().unwrap().clone()
        };
        for step in script(&request) {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Forever(bytes) => while stream.write_all(&bytes).await.is_ok() {},
                Step::Hang => {
                    drop(stream.read(&mut [0]).await);
                    return;
                }
                Step::Close => return,
            }
        }
    }
}

async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

/// An answer with this status line and these headers, its length announced.
pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Step {
    announced(status, headers, body, body.len())
}

/// The same with a length that may be a lie.
pub(super) fn announced(status: &str, headers: &str, body: &[u8], length: usize) -> Step {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    Step::Send(bytes)
}

pub(super) fn ok(body: &[u8]) -> Vec<Step> {
    vec![answer("200 OK", "", body)]
}

/// The rest of a body from a byte on.
pub(super) fn part(body: &[u8], from: usize, headers: &str) -> Step {
    let (last, all) = (body.len() - 1, body.len());
    let range = format!("content-range: bytes {from}-{last}/{all}\r\n{headers}");
    answer("206 Partial Content", &range, &body[from..])
}

/// A chunked answer's head; one chunk.
pub(super) const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

pub(super) fn chunk(body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{:x}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(b"\r\n");
    bytes
}
