//! A plugin whose socket is the test's own: what is on the wire is written by hand, frame by frame.
//! Behind it is a process that does nothing, to be killed.

use std::io;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use wharf_supervisor::{Launch, Process, SocketPolicy, Tls};

use crate::support::{Home, within};

// RFC 9113, section 6.
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// Of DATA and HEADERS; the same bit is ACK for SETTINGS and PING.
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `:status: 200` and `content-type: application/grpc`, RFC 7541.
const RESPONSE: &[u8] = b"\x88\x5f\x10application/grpc";

/// One frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a gRPC answer.
pub(crate) fn answer(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, RESPONSE)
}

/// The end of one.
pub(crate) fn trailers(stream: u32, status: &str) -> Vec<u8> {
    let length = u8::try_from(status.len()).unwrap();
    let block = [b"\x40\x0bgrpc-status", &[length][..], status.as_bytes()].concat();
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block)
}

/// A gRPC message in a frame of its own.
pub(crate) fn message(stream: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    frame(DATA, 0, stream, &[&[0], &length[..], body].concat())
}

/// Where the test listens.
pub(crate) struct Raw {
    path: PathBuf,
    listener: UnixListener,
}

impl Raw {
    pub(crate) fn new(home: &Home) -> Self {
        let path = home.path().join("raw.sock");
        Self { listener: UnixListener::bind(&path).unwrap(), path }
    }

    /// A launch of what announces this socket, and speaks in clear.
    pub(crate) fn launch(&self, home: &Home) -> Launch {
        let line = format!("1|1|unix|{}|grpc|", self.path.display());
        let script = home.script(&format!("echo '{line}'; exec sleep 600"));
        home.launch(script).tls(Tls::Off).socket_policy(SocketPolicy::Any)
    }

    /// A launch of what shows the host's own certificate as its own.
    pub(crate) fn launch_with_tls(&self, home: &Home) -> Launch {
        let line = format!("1|1|unix|{}|grpc|", self.path.display());
        let certificate = "$(echo \"$PLUGIN_CLIENT_CERT\" | grep -v -- - | tr -d '\\n=')";
        let script = home.script(&format!("echo \"{line}{certificate}\"; exec sleep 600"));
        home.launch(script).socket_policy(SocketPolicy::Any)
    }

    pub(crate) async fn accept(&self) -> UnixStream {
        self.listener.accept().await.unwrap().0
    }

    /// Starts it. The host's own three calls (health, broker, output) are answered with
    /// UNIMPLEMENTED, so that the next one is the test's.
    pub(crate) async fn start(&self, launch: Launch) -> (Process, Peer) {
        let answered = async {
            let mut peer = Peer::greet(self.accept().await).await.unwrap();
            for _call in 0..3 {
                let stream = peer.request().await.unwrap();
                peer.write(&[answer(stream), trailers(stream, "12")].concat()).await.unwrap();
            }
            peer
        };
        let both = async { tokio::join!(launch.start(), answered) };
        let (process, peer) = within(Box::pin(both)).await;
        (process.unwrap(), peer)
    }
}

/// The connection with the host.
pub(crate) struct Peer(UnixStream);

impl Peer {
    /// As a server.
    async fn greet(mut socket: UnixStream) -> io::Result<Self> {
        let mut preface = [0; PREFACE.len()];
        socket.read_exact(&mut preface).await?;
        assert_eq!(preface, PREFACE);
        socket.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
        Ok(Self(socket))
    }

    /// As a client, with windows that never fill.
    pub(crate) async fn call(mut socket: UnixStream, path: &str) -> io::Result<Self> {
        let window = [&4_u16.to_be_bytes()[..], &i32::MAX.to_be_bytes()].concat();
        let more = (i32::MAX - 65_535).to_be_bytes();
        let length = u8::try_from(path.len()).unwrap();
        let block = [
            b"\x83\x86\x44",
            &[length][..],
            path.as_bytes(),
            b"\x41\x09localhost\x5f\x10application/grpc\x40\x02te\x08trailers",
        ];
        let request = [
            PREFACE,
            &frame(SETTINGS, 0, 0, &window),
            &frame(WINDOW_UPDATE, 0, 0, &more),
            &frame(HEADERS, END_HEADERS, 1, &block.concat()),
            &frame(DATA, END_STREAM, 1, &[0; 5]),
        ];
        socket.write_all(&request.concat()).await?;
        Ok(Self(socket))
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// The stream of the next call. What else comes is answered as it must be.
    pub(crate) async fn request(&mut self) -> io::Result<u32> {
        loop {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await?;
            let [one, two, three, kind, flags, stream @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, one, two, three]) as usize];
            self.0.read_exact(&mut payload).await?;
            match kind {
                HEADERS => return Ok(u32::from_be_bytes(stream)),
                SETTINGS if flags & ACK == 0 => self.write(&frame(SETTINGS, ACK, 0, &[])).await?,
                PING if flags & ACK == 0 => self.write(&frame(PING, ACK, 0, &payload)).await?,
                _ => {}
            }
        }
    }

    /// Sends this over and over, and takes whatever comes back, until the host closes the
    /// connection. The number says how often it was sent.
    pub(crate) async fn flood(self, bytes: &[u8], times: &mut u64) {
        let (mut read, mut write) = self.0.into_split();
        let mut sink = tokio::io::sink();
        let back = tokio::io::copy(&mut read, &mut sink);
        let forth = async {
            while write.write_all(bytes).await.is_ok() {
                *times += 1;
            }
        };
        tokio::select! {
            _ended = back => {}
            () = forth => {}
        }
    }
}
