//! What answers are made of: bytes at hand, a part of a file, a stream, or an answer of the API.
//!
//! A file is read in chunks of 256 KiB while the peer takes them, so a download costs the same
//! memory however large the file is. What the page cache holds is read on the spot; only what
//! must come from the disk goes through the blocking pool.

use std::fs::File;
use std::future::Future as _;
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http_body::{Frame, SizeHint};
use rustix::io::{Errno, ReadWriteFlags};
use tokio::task::JoinHandle;

/// Bytes in memory for one download.
const CHUNK: usize = 256 * 1024;

/// Why a body ended early. The connection is aborted then, since the status line is gone.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A stream of bytes made elsewhere.
pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// The body of an answer.
pub(crate) enum Body {
    /// Bytes at hand.
    Bytes(Bytes),
    /// A part of a file.
    File(FileBody),
    /// Bytes that come from elsewhere.
    Stream(Exact),
    /// An answer of the API.
    Api(axum::body::Body),
}

impl Body {
    /// No bytes.
    pub(crate) const fn empty() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::File(file) => file.poll(context).map(frame),
            Self::Stream(stream) => stream.poll(context).map(frame),
            Self::Api(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::File(file) => file.left.is_empty(),
            Self::Stream(_) => false,
            Self::Api(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::File(file) => SizeHint::with_exact(file.left.end - file.left.start),
            Self::Stream(stream) => {
                stream.left.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
            Self::Api(body) => body.size_hint(),
        }
    }
}

fn frame<E: Into<BodyError>>(
    chunk: Option<Result<Bytes, E>>,
) -> Option<Result<Frame<Bytes>, BodyError>> {
    chunk.map(|result| result.map(Frame::data).map_err(Into::into))
}

/// A part of an open file.
pub(crate) struct FileBody {
    file: Arc<File>,
    left: Range<u64>,
    buffer: BytesMut,
    /// A read in the blocking pool; it is short, and its result is dropped with the body.
    reading: Option<JoinHandle<io::Result<BytesMut>>>,
}

impl FileBody {
    /// The bytes of `file` in `part`. The file must hold them.
    pub(crate) fn new(file: File, part: Range<u64>) -> Self {
        Self { file: Arc::new(file), left: part, buffer: BytesMut::new(), reading: None }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(reading) = &mut self.reading {
            let done = ready!(Pin::new(reading).poll(context));
            self.reading = None;
            return Poll::Ready(Some(done.map_err(io::Error::other).flatten().and_then(|read| {
                self.buffer = read;
                self.taken()
            })));
        }
        let length = usize::try_from(self.left.end - self.left.start).unwrap_or(CHUNK).min(CHUNK);
        self.buffer.resize(length, 0);
        match read_cached(&self.file, &mut self.buffer, self.left.start) {
            Ok(Some(read)) => {
                self.buffer.truncate(read);
                Poll::Ready(Some(self.taken()))
            }
            Ok(None) => {
                self.read_elsewhere();
                self.poll(context)
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn read_elsewhere(&mut self) {
        let (file, start) = (Arc::clone(&self.file), self.left.start);
        let mut buffer = std::mem::take(&mut self.buffer);
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let read = retry(|| rustix::io::pread(&file, &mut buffer[..], start))?;
            buffer.truncate(read);
            Ok(buffer)
        }));
    }

    /// Hands out what was read.
    fn taken(&mut self) -> io::Result<Bytes> {
        let chunk = self.buffer.split().freeze();
        if chunk.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the file is shorter than recorded: nothing at {}", self.left.start),
            ));
        }
        self.left.start += chunk.len() as u64;
        Ok(chunk)
    }
}

/// Reads what the page cache holds at `start`; none: it must come from the disk.
fn read_cached(file: &File, buffer: &mut [u8], start: u64) -> io::Result<Option<usize>> {
    let read = retry(|| {
        let mut slices = [IoSliceMut::new(buffer)];
        rustix::io::preadv2(file, &mut slices, start, ReadWriteFlags::NOWAIT)
    });
    match read {
        Ok(read) => Ok(Some(read)),
        // Not cached, or a file system that cannot say.
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

/// The whole of a small file in one read, so that it can leave together with its header. None: it
/// is large, or not as long as recorded; read it as a [`FileBody`], which says so. May block.
pub(crate) fn small(file: &File, size: u64) -> Option<Bytes> {
    const SMALL: u64 = 64 * 1024;
    if size > SMALL {
        return None;
    }
    let mut buffer = vec![0; usize::try_from(size).ok()?];
    let read = retry(|| rustix::io::pread(file, &mut buffer[..], 0)).ok()?;
    (read == buffer.len()).then(|| Bytes::from(buffer))
}

/// A stream that must yield a number of bytes known beforehand; fewer or more is an error.
pub(crate) struct Exact {
    stream: ByteStream,
    left: Option<u64>,
}

impl Exact {
    /// `stream`, checked against `length` when that is known.
    pub(crate) fn new(stream: ByteStream, length: Option<u64>) -> Self {
        Self { stream, left: length }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let next = ready!(self.stream.as_mut().poll_next(context));
        Poll::Ready(match (next, self.left) {
            (Some(Ok(chunk)), Some(left)) => Some(match left.checked_sub(chunk.len() as u64) {
                Some(rest) => {
                    self.left = Some(rest);
                    Ok(chunk)
                }
                None => Err("the source sent more bytes than promised".into()),
            }),
            (None, Some(left)) if left > 0 => {
                Some(Err(format!("the source ended {left} bytes early").into()))
            }
            (other, _) => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use http_body_util::BodyExt as _;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[tokio::test]
    async fn a_part_of_a_file_arrives_whole_and_in_order() {
        let bytes: Vec<u8> = (0..CHUNK * 2 + 100).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let part = 7..bytes.len() as u64 - 3;
        let body = Body::File(FileBody::new(file(&bytes), part));
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(bytes.len() as u64 - 10));
        let collected = body.collect().await.unwrap().to_bytes();
        assert_eq!(collected, bytes[7..bytes.len() - 3]);
    }

    #[tokio::test]
    async fn a_file_that_shrank_ends_in_an_error() {
        let body = Body::File(FileBody::new(file(b"short"), 0..10));
        assert!(body.collect().await.unwrap_err().to_string().contains("shorter"));
    }

    #[tokio::test]
    async fn a_read_from_the_disk_gives_the_same_bytes() {
        let mut body = FileBody::new(file(b"0123456789"), 2..8);
        body.buffer.resize(6, 0);
        body.read_elsewhere();
        assert_eq!(Body::File(body).collect().await.unwrap().to_bytes(), "234567");
    }

    #[test]
    fn a_small_file_is_read_at_once_and_a_large_one_is_not() {
        assert_eq!(small(&file(b"0123456789"), 10).unwrap(), "0123456789");
        assert_eq!(small(&file(b""), 0).unwrap(), "");
        assert_eq!(small(&file(b"01"), 5), None);
        assert_eq!(small(&file(&vec![0; 70_000]), 70_000), None);
    }

    #[tokio::test]
    async fn a_stream_must_keep_its_promised_length() {
        let body = |chunks: &[&'static str], length| {
            let chunks: Vec<Result<Bytes, BodyError>> =
                chunks.iter().map(|text| Ok(Bytes::from_static(text.as_bytes()))).collect();
            let stream = Box::pin(futures_util::stream::iter(chunks));
            Body::Stream(Exact::new(stream, length)).collect()
        };
        assert_eq!(body(&["ab", "c"], Some(3)).await.unwrap().to_bytes(), "abc");
        assert_eq!(body(&["ab", "c"], None).await.unwrap().to_bytes(), "abc");
        assert!(body(&["ab"], Some(3)).await.is_err());
        assert!(body(&["ab", "cd"], Some(3)).await.is_err());
    }
}
