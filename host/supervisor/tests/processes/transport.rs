//! Peers that speak no HTTP/2, too much of it, or lie in it.

use std::fs;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use prost::Message as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::time::Instant;
use tokio_stream::Stream;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use wharf_proto::goplugin::StdioData;
use wharf_proto::goplugin::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};
use wharf_proto::v1::event::Event;
use wharf_proto::v1::{self, SyncRequest};
use wharf_supervisor::{Bounds, ByHost, CallError, calls};

use crate::raw::{
    CONTINUATION, DATA, HEADERS, PING, Peer, RST_STREAM, Raw, SETTINGS, answer, frame, message,
    trailers,
};
use crate::support::{Home, LONG, says, sync, until, within};

const STALL: Duration = Duration::from_millis(500);
/// What a call may cost, with room for what other tests of this process do meanwhile.
const BUDGET: u64 = 64 << 20;

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// How a call ends whose answer is this, and then silence.
async fn call(answer_of: impl Fn(u32) -> Vec<u8>) -> CallError {
    let home = Home::new();
    let raw = Raw::new(&home);
    let (process, mut peer) = raw.start(raw.launch(&home)).await;
    let answering = async {
        let stream = peer.request().await.unwrap();
        peer.write(&answer_of(stream)).await.unwrap();
    };
    let both = async { tokio::join!(sync(&process, "x", STALL), answering) };
    let (end, ()) = within(Box::pin(both)).await;
    drop(process);
    home.nothing_is_left().await;
    end.unwrap_err()
}

fn claim(bytes: u32) -> impl Fn(u32) -> Vec<u8> {
    move |stream| {
        let claim = [&[0], &bytes.to_be_bytes()[..], b"and that was all"].concat();
        [answer(stream), frame(DATA, 0, stream, &claim)].concat()
    }
}

// F30, F29
#[tokio::test]
async fn a_length_is_not_believed_before_its_bytes_come() {
    let before = peak();
    let begun = Instant::now();
    let error = call(claim(u32::MAX)).await;
    assert_eq!(error.code(), "limit", "{error}");
    assert!(error.to_string().contains("4294967295"), "{error}");
    assert!(begun.elapsed() < LONG);
    // The largest that is allowed.
    let error = call(claim(4 << 20)).await;
    assert_eq!(error.code(), "unresponsive", "{error}");
    assert!(peak() - before < BUDGET, "{} bytes more", peak() - before);
}

/// How a start ends with a peer that answers so.
async fn greeted_with(answer: &[u8], closes: bool, tls: bool) -> wharf_supervisor::Error {
    let home = Home::new();
    let raw = Raw::new(&home);
    let launch = if tls { raw.launch_with_tls(&home) } else { raw.launch(&home) };
    // It may be asked anew.
    let answering = async {
        let mut open = Vec::new();
        loop {
            let mut socket = raw.accept().await;
            socket.write_all(answer).await.ok();
            open.extend(Some(socket).filter(|_| !closes));
        }
    };
    tokio::select! {
        failed = home.fail_with(launch) => failed,
        () = answering => unreachable!(),
    }
}

/// What TLS says to somebody who does not speak it.
const ALERT: &[u8] = b"\x15\x03\x03\x00\x02\x02\x46";

// F31, H60
#[tokio::test]
async fn what_is_no_http_2_is_said_so_at_the_start() {
    for (bytes, closes) in [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".as_slice(), false),
        (b"SSH-2.0-OpenSSH_9.9\r\n", false),
        (&[0xa5; 4096], false),
        (ALERT, true),
        (b"", true),
    ] {
        let error = within(Box::pin(greeted_with(bytes, closes, false))).await;
        says(&error, "handshake", &["HTTP/2"]);
    }
    let in_clear = frame(SETTINGS, 0, 0, &[]);
    for bytes in [in_clear.as_slice(), b"HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let error = within(Box::pin(greeted_with(bytes, false, true))).await;
        says(&error, "handshake", &["TLS handshake failed"]);
    }
}

// F31
#[tokio::test]
async fn garbage_in_the_middle_of_a_call_breaks_the_contract() {
    for garbage in [b"HTTP/1.1 500 Oops\r\n\r\n".as_slice(), ALERT, &[0xa5; 4096]] {
        let error = call(|stream| [&answer(stream), garbage, &[0; 64]].concat()).await;
        assert_eq!(error.code(), "protocol", "{error}");
        assert!(error.to_string().contains("the connection broke"), "{error}");
    }
}

/// How a call ends that is answered with these frames: some, and then others without an end. It
/// costs next to no memory.
async fn flooded(frames: impl Fn(u32) -> (Vec<u8>, Vec<u8>)) -> CallError {
    let home = Home::new();
    let raw = Raw::new(&home);
    let (process, mut peer) = raw.start(raw.launch(&home)).await;
    let before = peak();
    let mut times = 0;
    let flooding = async {
        let stream = peer.request().await.unwrap();
        let (first, then) = frames(stream);
        peer.write(&first).await.unwrap();
        peer.flood(&then.repeat(100), &mut times).await;
        std::future::pending::<()>().await;
    };
    let end = tokio::select! {
        end = within(Box::pin(sync(&process, "x", STALL))) => end.unwrap_err(),
        () = flooding => unreachable!(),
    };
    let growth = peak() - before;
    assert!(growth < BUDGET, "{growth} bytes more after {times} hundred");
    drop(process);
    home.nothing_is_left().await;
    end
}

// F34
#[tokio::test]
async fn floods_that_would_be_kept_end_the_connection() {
    let data = flooded(|stream| (answer(stream), frame(DATA, 0, stream, &[])));
    // A block of headers that never ends.
    let begun = |stream| frame(HEADERS, 0, stream, b"\x88");
    let field = b"\x00\x01a\x01b";
    let headers = flooded(|stream| (begun(stream), frame(CONTINUATION, 0, stream, field)));
    let empty = flooded(|stream| (begun(stream), frame(CONTINUATION, 0, stream, &[])));
    let (data, headers, empty) = tokio::join!(data, headers, empty);
    for error in [data, headers, empty] {
        assert_eq!(error.code(), "protocol", "{error}");
        assert!(error.to_string().contains("excessive load"), "{error}");
    }
}

// F34
#[tokio::test]
async fn floods_of_which_nothing_is_kept_are_harmless() {
    // Ends its call, and is ignored from then on.
    let code = 8_u32.to_be_bytes();
    let resets = flooded(|stream| (answer(stream), frame(RST_STREAM, 0, stream, &code)));
    // Each of these is answered.
    let setting = [&3_u16.to_be_bytes()[..], &100_u32.to_be_bytes()].concat();
    let settings = flooded(|stream| (answer(stream), frame(SETTINGS, 0, 0, &setting)));
    let pings = flooded(|stream| (answer(stream), frame(PING, 0, 0, &[7; 8])));
    let (resets, settings, pings) = tokio::join!(resets, settings, pings);
    assert_eq!(resets.code(), "protocol", "{resets}");
    for error in [settings, pings] {
        assert_eq!(error.code(), "unresponsive", "{error}");
    }
}

// F33
#[tokio::test]
async fn small_messages_that_wait_to_be_read_cost_nobody_the_connection() {
    const MANY: usize = 20_000;
    let home = Home::new();
    let raw = Raw::new(&home);
    let (process, mut peer) = raw.start(raw.launch(&home)).await;
    let progress = v1::Progress { done: 1_000, phase: "reading".into(), ..v1::Progress::default() };
    let body = |event| v1::Event { event: Some(event) }.encode_to_vec();
    let progress = body(Event::Progress(progress));
    let result = body(Event::Result(v1::Result::default()));
    let bounds = Bounds::new(LONG);
    let sent = async {
        let stream = peer.request().await.unwrap();
        peer.write(&answer(stream)).await.unwrap();
        peer.write(&message(stream, &progress).repeat(MANY)).await.unwrap();
        peer.write(&[message(stream, &result), trailers(stream, "0")].concat()).await.unwrap();
    };
    let opened = calls::sync(&process, SyncRequest::default(), &bounds);
    // Nobody reads before all is sent.
    let (events, ()) = within(Box::pin(async { tokio::join!(opened, sent) })).await;
    let mut events = events.unwrap();
    let mut count = 0;
    while let Some(Event::Progress(_)) = within(events.next()).await.unwrap() {
        count += 1;
    }
    assert_eq!(count, MANY);
}

/// Chunks without an end, counted as they are asked for.
struct Endless(Arc<AtomicUsize>);

const CHUNK: usize = 64 << 10;

impl Stream for Endless {
    type Item = Result<StdioData, Status>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.fetch_add(CHUNK, Ordering::Relaxed);
        Poll::Ready(Some(Ok(StdioData { channel: 1, data: vec![b'x'; CHUNK] })))
    }
}

/// A service of the host that has more to say than anybody can hold.
struct Talkative(Arc<AtomicUsize>);

#[tonic::async_trait]
impl GrpcStdio for Talkative {
    type StreamStdioStream = Endless;

    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<Endless>, Status> {
        Ok(Response::new(Endless(Arc::clone(&self.0))))
    }
}

// F35
#[tokio::test]
async fn what_nobody_reads_is_not_produced() {
    let home = Home::new();
    let raw = Raw::new(&home);
    let produced = Arc::new(AtomicUsize::new(0));
    let routes = Routes::new(GrpcStdioServer::new(Talkative(Arc::clone(&produced))));
    let (process, _peer) = raw.start(raw.launch(&home).host_services(routes)).await;
    let address = process.host_address().unwrap().trim_start_matches("unix://");
    let socket = UnixStream::connect(address).await.unwrap();
    // It allows 2 GiB, and reads nothing.
    let _silent = Peer::call(socket, "/plugin.GRPCStdio/StreamStdio").await.unwrap();
    until(LONG, || {
        let some = produced.load(Ordering::Relaxed);
        (some > 0).then_some(()).ok_or(format!("{some} bytes"))
    })
    .await;
    // Its own call makes no progress meanwhile.
    let error = within(Box::pin(sync(&process, "x", STALL))).await.unwrap_err();
    assert_eq!(error.code(), "unresponsive", "{error}");
    let bytes = produced.load(Ordering::Relaxed);
    assert!(bytes < 4 << 20, "{bytes} bytes");
    process.kill();
    assert_eq!(within(process.wait()).await.by_host, Some(ByHost::Killed));
    drop(process);
    // Whoever produces ends with the process.
    let gone = || Arc::strong_count(&produced) == 1;
    until(LONG, || gone().then_some(()).ok_or("produced".to_owned())).await;
    home.nothing_is_left().await;
}
