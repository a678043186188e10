//! gzip by several threads: one ordinary stream, the same bytes however many threads there are.
//!
//! What is written is cut into blocks. Each is deflated on its own, with the end of the block before as its dictionary,
//! and ends at a whole byte; so the blocks are one deflate stream when they stand behind each other (as pigz does it).
//! Block i goes to thread i modulo N, and one more thread takes the results in that order. All queues are short, and all
//! threads have ended when [`gzip`] returns.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use crate::Error;

/// Bytes of a block: large enough that what begins anew with each costs less than a thousandth.
const BLOCK_BYTES: usize = 512 << 10;
/// What deflate looks back.
const WINDOW_BYTES: usize = 32 << 10;
/// Blocks that wait for one thread, and results of it.
const WAITING: usize = 2;
/// Magic, deflate, no flags, no time, no hint, Unix.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

struct Block {
    dictionary: Vec<u8>,
    bytes: Vec<u8>,
    last: bool,
}

struct Packed {
    bytes: Vec<u8>,
    crc: Crc,
    last: bool,
}

/// Hands `produce` a writer, and writes what comes through it to `output` as gzip of this level (1 to 9).
///
/// # Errors
/// What `produce` fails with, or writing to `output`.
pub(crate) fn gzip<W: Write + Send, T>(
    output: W,
    level: u32,
    threads: usize,
    produce: impl FnOnce(&mut Blocks) -> Result<T, Error>,
) -> Result<(W, T), Error> {
    thread::scope(|scope| {
        let (mut to_threads, mut results) = (Vec::new(), Vec::new());
        for _ in 0..threads.max(1) {
            let (sender, blocks) = sync_channel(WAITING);
            let (packed, result) = sync_channel(WAITING);
            scope.spawn(move || deflate_all(level, &blocks, &packed));
            to_threads.push(sender);
            results.push(result);
        }
        let joiner = scope.spawn(move || join(output, &results));
        let mut blocks = Blocks { to_threads, next: 0, bytes: Vec::new(), dictionary: Vec::new() };
        let produced = produce(&mut blocks);
        let produced = produced.and_then(|made| {
            blocks.send(true).map_err(Error::io("compressing the image"))?;
            Ok(made)
        });
        drop(blocks);
        let written = ended(joiner);
        match (written, produced) {
            // What could not be written is why nothing more could be produced.
            (Err(Error::Io { doing, source }), _) => Err(Error::Io { doing, source }),
            (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
            (Ok(None), Ok(_)) => Err(Error::Fault("a gzip stream has no end".to_owned())),
            (Ok(Some(output)), Ok(made)) => Ok((output, made)),
        }
    })
}

fn ended<T>(thread: ScopedJoinHandle<'_, Result<T, Error>>) -> Result<T, Error> {
    let panicked = |_panic| Error::Fault("a thread that writes gzip panicked".to_owned());
    thread.join().map_err(panicked).flatten()
}

/// Cuts what is written into blocks.
pub(crate) struct Blocks {
    to_threads: Vec<SyncSender<Block>>,
    next: usize,
    bytes: Vec<u8>,
    dictionary: Vec<u8>,
}

impl Blocks {
    fn send(&mut self, last: bool) -> io::Result<()> {
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(BLOCK_BYTES));
        let window =
            bytes.get(bytes.len().saturating_sub(WINDOW_BYTES)..).unwrap_or_default().to_vec();
        let dictionary = std::mem::replace(&mut self.dictionary, window);
        let thread = self.to_threads.get(self.next).ok_or(io::ErrorKind::BrokenPipe)?;
        let sent = thread.send(Block { dictionary, bytes, last });
        self.next = (self.next + 1) % self.to_threads.len();
        sent.map_err(|_ended| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK_BYTES - self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if self.bytes.len() == BLOCK_BYTES {
            self.send(false)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A thread: deflates its blocks until there are no more, or nobody takes the results.
fn deflate_all(level: u32, blocks: &Receiver<Block>, results: &SyncSender<io::Result<Packed>>) {
    for block in blocks {
        let packed = deflate(level, &block);
        let failed = packed.is_err();
        if results.send(packed).is_err() || failed {
            return;
        }
    }
}

fn deflate(level: u32, block: &Block) -> io::Result<Packed> {
    // A state that was reset remembers enough of the block before to find other matches.
    let mut state = Compress::new(Compression::new(level), false);
    if !block.dictionary.is_empty() {
        state.set_dictionary(&block.dictionary).map_err(io::Error::other)?;
    }
    let (flush, end) = if block.last {
        (FlushCompress::Finish, Status::StreamEnd)
    } else {
        (FlushCompress::Sync, Status::Ok)
    };
    // Deflate never needs more than this for what cannot be compressed.
    let most = block.bytes.len() + block.bytes.len() / 1000 + 1024;
    let mut bytes = Vec::with_capacity(most);
    let status = state.compress_vec(&block.bytes, &mut bytes, flush).map_err(io::Error::other)?;
    let all = u64::try_from(block.bytes.len()).is_ok_and(|all| state.total_in() == all);
    if status != end || !all || bytes.len() == bytes.capacity() {
        return Err(io::Error::other("deflate took more room than it can need"));
    }
    let mut crc = Crc::new();
    crc.update(&block.bytes);
    Ok(Packed { bytes, crc, last: block.last })
}

/// Takes the results in order. `None`: the blocks ended without a last one.
fn join<W: Write>(
    mut output: W,
    results: &[Receiver<io::Result<Packed>>],
) -> Result<Option<W>, Error> {
    let writing = || Error::io("writing the image");
    output.write_all(&HEAD).map_err(writing())?;
    let mut crc = Crc::new();
    for result in results.iter().cycle() {
        let Ok(packed) = result.recv() else { return Ok(None) };
        let packed = packed.map_err(|error| Error::Fault(format!("gzip: {error}")))?;
        output.write_all(&packed.bytes).map_err(writing())?;
        crc.combine(&packed.crc);
        if packed.last {
            break;
        }
    }
    let tail = [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat();
    output.write_all(&tail).and_then(|()| output.flush()).map_err(writing())?;
    Ok(Some(output))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// Bytes that are neither all equal nor random.
    fn text(bytes: usize) -> Vec<u8> {
        let mut seed = 7_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"abcdefgh"[usize::try_from(seed >> 29).unwrap()]
        };
        (0..bytes).map(|_| next()).collect()
    }

    fn pack(bytes: &[u8], threads: usize) -> Vec<u8> {
        let produce = |blocks: &mut Blocks| blocks.write_all(bytes).map_err(Error::io("test"));
        gzip(Vec::new(), 6, threads, produce).unwrap().0
    }

    fn unpack(packed: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Reads one member only: what follows it would be missed.
        flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn it_is_one_ordinary_stream_whatever_the_size() {
        for size in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 17] {
            let bytes = text(size);
            assert!(unpack(&pack(&bytes, 3)) == bytes, "{size}");
        }
    }

    #[test]
    fn the_bytes_do_not_depend_on_the_number_of_threads() {
        let bytes = text(5 * BLOCK_BYTES + 3);
        assert!(pack(&bytes, 1) == pack(&bytes, 4));
    }

    #[test]
    fn it_is_nearly_as_small_as_by_one_thread() {
        let bytes = text(4 * BLOCK_BYTES);
        let mut whole = flate2::write::GzEncoder::new(Vec::new(), Compression::new(6));
        whole.write_all(&bytes).unwrap();
        let whole = whole.finish().unwrap().len();
        assert!(pack(&bytes, 2).len() < whole + whole / 500);
    }

    #[test]
    fn what_fails_ends_every_thread_and_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let endless = |blocks: &mut Blocks| -> Result<(), Error> {
            loop {
                blocks.write_all(&[0; 4096]).map_err(Error::io("producing"))?;
            }
        };
        let failed = gzip(Full, 6, 2, endless).map(|_| ()).unwrap_err();
        assert!(
            matches!(failed, Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
        );
        let failed = gzip(Vec::new(), 6, 2, |_| Err::<(), _>(Error::Cancelled)).unwrap_err();
        assert!(matches!(failed, Error::Cancelled));
    }
}
