//! What was printed and nobody has taken yet, up to a bound.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::Source;

/// What waits for a caller of each source before writers are held up; the pipe in front holds as much again.
const BOUND: usize = 64 << 10;
/// What waits at most, however it came about. More is lost, and said so.
const LIMIT: usize = 32 << 20;
/// The most that goes into one message. Source: go-plugin.
pub(crate) const CHUNK: usize = 1_024;
/// How often a writer that is held up is looked after.
const LOOK: Duration = Duration::from_millis(20);

/// Between the readers of the pipes and the callers of the stdio service.
#[derive(Default)]
pub(crate) struct Buffer {
    state: Mutex<State>,
    /// There is something to take, or it has ended.
    filled: Notify,
    /// There is room again.
    room: Condvar,
    /// All has been taken.
    empty: Notify,
}

#[derive(Default)]
struct State {
    stdout: Queue,
    stderr: Queue,
    /// Which one is taken from first: they take turns.
    last_was_stdout: bool,
    callers: usize,
    readers: usize,
    /// Nobody is held up any more: the plugin ends.
    closing: bool,
}

#[derive(Default)]
struct Queue {
    bytes: VecDeque<u8>,
    lost: usize,
}

impl Buffer {
    /// Says that somebody will push, for as long as the result lives.
    pub(super) fn open(buffer: Arc<Self>) -> Open {
        buffer.lock().readers += 1;
        Open(buffer)
    }

    /// From now on nothing is held up, and what is there is the end once the readers are done.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        self.room.notify_all();
        self.tell(&state);
    }

    /// Adds bytes, as soon as there is room. `hurried` says that waiting would be for ever, because whoever would make
    /// room waits for this very writer.
    pub(super) fn push(&self, source: Source, bytes: &[u8], mut hurried: impl FnMut() -> bool) {
        let mut state = self.lock();
        while state.queue(source).bytes.len() >= BOUND && !state.closing && !hurried() {
            let waited = self.room.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let unheard = state.closing && state.callers == 0;
        let queue = state.queue(source);
        if unheard || queue.bytes.len() + bytes.len() > LIMIT {
            queue.lost += bytes.len();
        } else {
            queue.bytes.extend(bytes);
        }
        drop(state);
        self.filled.notify_one();
    }

    /// A caller, for as long as the result lives.
    pub(crate) fn call(buffer: Arc<Self>) -> Caller {
        buffer.lock().callers += 1;
        Caller(buffer)
    }

    /// Returns when there is nothing more to come, and nothing left or nobody to take it.
    pub(super) async fn taken(&self) {
        loop {
            let empty = self.empty.notified();
            if self.lock().is_over() {
                return;
            }
            empty.await;
        }
    }

    /// Wakes whoever waits for what `state` has become.
    fn tell(&self, state: &State) {
        if state.is_over() {
            self.empty.notify_waiters();
        }
        if state.has_ended() {
            self.filled.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn queue(&mut self, source: Source) -> &mut Queue {
        match source {
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        }
    }

    fn is_empty(&self) -> bool {
        self.stdout.is_empty() && self.stderr.is_empty()
    }

    fn has_ended(&self) -> bool {
        self.closing && self.readers == 0 && self.is_empty()
    }

    fn is_over(&self) -> bool {
        self.has_ended() || (self.closing && self.callers == 0)
    }

    fn take(&mut self) -> Option<(Source, Vec<u8>)> {
        let mut order = [Source::Stdout, Source::Stderr];
        order.rotate_left(usize::from(self.last_was_stdout));
        let source = order.into_iter().find(|source| !self.queue(*source).is_empty())?;
        self.last_was_stdout = source == Source::Stdout;
        Some((source, self.queue(source).take()))
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.lost == 0
    }

    fn take(&mut self) -> Vec<u8> {
        if self.bytes.is_empty() {
            let lost = std::mem::take(&mut self.lost);
            return format!("\n[{lost} bytes of output were lost: nobody took them]\n").into();
        }
        let chunk = self.bytes.drain(..self.bytes.len().min(CHUNK)).collect();
        if self.bytes.is_empty() && self.bytes.capacity() > BOUND {
            self.bytes = VecDeque::new();
        }
        chunk
    }
}

/// Somebody who pushes.
pub(super) struct Open(Arc<Buffer>);

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.readers = state.readers.saturating_sub(1);
        self.0.tell(&state);
    }
}

/// Somebody who takes what was printed.
pub(crate) struct Caller(Arc<Buffer>);

impl Caller {
    /// The next piece, of at most [`CHUNK`] bytes. `None`: there will be no more.
    pub(crate) async fn chunk(&self) -> Option<(Source, Vec<u8>)> {
        let buffer = &*self.0;
        loop {
            // Made before the look, so that nothing is missed in between.
            let filled = buffer.filled.notified();
            {
                let mut state = buffer.lock();
                if let Some(chunk) = state.take() {
                    buffer.room.notify_all();
                    if !state.is_empty() {
                        buffer.filled.notify_one();
                    }
                    buffer.tell(&state);
                    return Some(chunk);
                }
                if state.has_ended() {
                    return None;
                }
            }
            filled.await;
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.callers = state.callers.saturating_sub(1);
        self.0.tell(&state);
        // A piece that this caller was woken for is another's now.
        self.0.filled.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::thread;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    async fn take(caller: &Caller) -> Option<(Source, Vec<u8>)> {
        tokio::time::timeout(DEADLINE, caller.chunk()).await.unwrap()
    }

    fn patient() -> bool {
        false
    }

    // P47
    #[tokio::test]
    async fn pieces_are_small_and_both_sources_take_turns() {
        let buffer = Arc::new(Buffer::default());
        buffer.push(Source::Stdout, &[1; 2_500], patient);
        buffer.push(Source::Stderr, &[2; 10], patient);
        let caller = Buffer::call(Arc::clone(&buffer));
        buffer.close();
        let mut seen = Vec::new();
        while let Some((source, bytes)) = take(&caller).await {
            seen.push((source, bytes.len()));
        }
        let expected = [
            (Source::Stdout, 1_024),
            (Source::Stderr, 10),
            (Source::Stdout, 1_024),
            (Source::Stdout, 452),
        ];
        assert_eq!(seen, expected);
    }

    // P48
    #[tokio::test]
    async fn a_writer_is_held_up_at_the_bound_and_loses_nothing() {
        let buffer = Arc::new(Buffer::default());
        let open = Buffer::open(Arc::clone(&buffer));
        let (pushed, count) = sync_channel(0);
        let writer = thread::spawn({
            let buffer = Arc::clone(&buffer);
            move || {
                for _ in 0..80 {
                    buffer.push(Source::Stdout, &[b'x'; CHUNK], patient);
                    if pushed.send(()).is_err() {
                        break;
                    }
                }
                drop(open);
            }
        });
        for _ in 0..BOUND / CHUNK {
            count.recv_timeout(DEADLINE).unwrap();
        }
        assert_eq!(buffer.lock().stdout.bytes.len(), BOUND);
        let caller = Buffer::call(Arc::clone(&buffer));
        let rest = thread::spawn(move || while count.recv_timeout(DEADLINE).is_ok() {});
        let mut total = 0;
        while total < 80 * CHUNK {
            total += take(&caller).await.unwrap().1.len();
        }
        buffer.close();
        assert_eq!(take(&caller).await, None);
        writer.join().unwrap();
        rest.join().unwrap();
    }

    #[test]
    fn a_writer_that_would_wait_for_itself_passes_the_bound_up_to_the_limit() {
        let buffer = Buffer::default();
        let megabyte = vec![0; 1 << 20];
        for _ in 0..40 {
            buffer.push(Source::Stdout, &megabyte, || true);
        }
        let mut state = buffer.lock();
        assert_eq!((state.stdout.bytes.len(), state.stdout.lost), (LIMIT, 8 << 20));
        state.stdout.bytes.clear();
        let said = String::from_utf8(state.stdout.take()).unwrap();
        assert!(said.contains("8388608 bytes"), "{said}");
    }

    // P49
    #[tokio::test]
    async fn the_end_waits_for_a_caller_and_not_for_nobody() {
        let buffer = Arc::new(Buffer::default());
        buffer.push(Source::Stdout, b"last words", patient);
        let caller = Buffer::call(Arc::clone(&buffer));
        buffer.close();
        let mut taken = std::pin::pin!(buffer.taken());
        assert!(futures_util::poll!(&mut taken).is_pending());
        drop(caller);
        tokio::time::timeout(DEADLINE, taken).await.unwrap();
    }

    #[tokio::test]
    async fn a_second_caller_gets_what_the_first_leaves() {
        let buffer = Arc::new(Buffer::default());
        let [first, second] = [0, 1].map(|_| Buffer::call(Arc::clone(&buffer)));
        {
            let mut waiting = std::pin::pin!(first.chunk());
            assert!(futures_util::poll!(&mut waiting).is_pending());
            buffer.push(Source::Stdout, b"for one of them", patient);
        }
        drop(first);
        assert_eq!(take(&second).await.unwrap().1, b"for one of them");
    }
}
