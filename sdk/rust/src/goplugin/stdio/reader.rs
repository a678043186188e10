//! A thread that empties one pipe.
//!
//! It is a thread because a call may print more than the pipe holds, which stops the thread that the call runs on: a
//! task there could never empty the pipe.

use std::io::{self, PipeReader, PipeWriter, Read as _};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::pulse::Pulse;
use super::{Buffer, Source};

/// What is read at once.
const PIECE: usize = 8 << 10;
/// What is read at most after the end was called for: more than a pipe holds, so only somebody who goes on printing
/// for ever is cut short.
const REST: usize = 1 << 20;
/// The thread does very little.
const STACK: usize = 128 << 10;

pub(super) struct Reader {
    thread: JoinHandle<()>,
    /// Dropping it tells the thread to take what there is and end.
    running: PipeWriter,
}

impl Reader {
    pub(super) fn start(
        source: Source,
        pipe: PipeReader,
        buffer: Arc<Buffer>,
        mut pulse: Pulse,
    ) -> io::Result<Self> {
        let (finish, running) = io::pipe()?;
        let open = Buffer::open(Arc::clone(&buffer));
        let thread =
            Builder::new().name("stdio".to_owned()).stack_size(STACK).spawn(move || {
                // A pipe that fails has nothing more to give.
                drop(read(source, pipe, &finish, &buffer, &mut pulse));
                drop(open);
            })?;
        Ok(Self { thread, running })
    }

    /// Takes what the pipe holds and ends. The buffer must be closed, so that nothing holds up the thread.
    pub(super) fn finish(self) {
        drop(self.running);
        // Its panic is in the log already.
        drop(self.thread.join());
    }
}

fn read(
    source: Source,
    mut pipe: PipeReader,
    finish: &PipeReader,
    buffer: &Buffer,
    pulse: &mut Pulse,
) -> io::Result<()> {
    let mut bytes = [0; PIECE];
    let mut rest = REST;
    while rest > 0 {
        let mut looked = [PollFd::new(&pipe, PollFlags::IN), PollFd::new(finish, PollFlags::IN)];
        match poll(&mut looked, None) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_ready) => {}
        }
        let [to_read, to_finish] = looked.map(|it| !it.revents().is_empty());
        if to_read {
            let count = pipe.read(&mut bytes)?;
            if count == 0 {
                break;
            }
            if to_finish {
                rest = rest.saturating_sub(count);
            }
            buffer.push(source, bytes.get(..count).unwrap_or_default(), || pulse.is_still());
        } else if to_finish {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use tokio::runtime::Handle;

    use super::*;

    // P49
    #[tokio::test]
    async fn what_is_in_the_pipe_at_the_end_is_taken_even_if_a_child_holds_it_open() {
        let buffer = Arc::new(Buffer::default());
        let (pipe, mut inlet) = io::pipe().unwrap();
        let pulse = Pulse::of(&Handle::current());
        let reader = Reader::start(Source::Stdout, pipe, Arc::clone(&buffer), pulse).unwrap();
        let caller = Buffer::call(Arc::clone(&buffer));
        inlet.write_all(b"last words").unwrap();
        buffer.close();
        reader.finish();
        let mut all = Vec::new();
        let taken = async {
            while let Some((_, bytes)) = caller.chunk().await {
                all.extend(bytes);
            }
        };
        tokio::time::timeout(Duration::from_secs(10), taken).await.unwrap();
        assert_eq!(all, b"last words");
    }
}
