//! The stream that was opened last.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::io::AsyncWrite as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _};

use super::Turn;

/// A stream that lets nobody else open one before the other side has seen it. Order alone is not enough: a Go host has
/// one waiter for each number that was knocked for, and they race for what comes.
pub(super) struct Ordered {
    stream: Compat<yamux::Stream>,
    turn: Option<Turn>,
}

impl Ordered {
    pub(super) fn new(stream: yamux::Stream, turn: Turn) -> Self {
        Self { stream: stream.compat(), turn: Some(turn) }
    }
}

/// Sends what is due by itself, without content: a stream's beginning, or that it was taken.
pub(super) fn send_empty(stream: &mut yamux::Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    Pin::new(stream).poll_write(cx, &[]).map_ok(|_none| ())
}

impl AsyncRead for Ordered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.turn.is_some() && (read.is_ready() || !self.stream.get_ref().is_pending_ack()) {
            self.turn = None;
        }
        read
    }
}

impl AsyncWrite for Ordered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
