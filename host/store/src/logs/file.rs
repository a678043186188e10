//! One log: its file, where its lines begin, and who waits for more.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::error::Error;
use crate::model::{LogLevel, LogLine};

/// The most bytes of a log.
pub(super) const MOST: u64 = 64 << 20;
/// Room for the mark.
const MARK_BYTES: u64 = 256;
/// What the last line of a full log says.
const MARK: &str = "the log is full: what was said after this is not kept";
/// Every so many lines their place is kept in memory.
const STRIDE: u64 = 256;
/// The most bytes of lines that are read at once.
const READ: u64 = 4 << 20;

/// The log of one job.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    most: u64,
    state: Mutex<Option<State>>,
    /// How many lines there are.
    end: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    /// Open for writing once something was written.
    file: Option<File>,
    /// Of whole lines, in bytes.
    length: u64,
    lines: u64,
    /// Where the lines 0, [`STRIDE`], 2 [`STRIDE`], ... begin.
    places: Vec<u64>,
    full: bool,
}

impl Log {
    pub(super) fn new(path: PathBuf, most: u64) -> Self {
        Self { path, most, state: Mutex::new(None), end: watch::Sender::new(0) }
    }

    /// Learns how many lines there are. The value is sound after [`Log::load`].
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.end.subscribe()
    }

    /// Reads the file once, to know its lines.
    pub(super) fn load(&self) -> Result<(), Error> {
        self.loaded(|_state| Ok(()))
    }

    pub(super) fn append(&self, lines: Vec<LogLine>) -> Result<(), Error> {
        self.loaded(|state| {
            let mut text = Vec::with_capacity(lines.len() * 128);
            let mut begins = Vec::with_capacity(lines.len());
            let mut full = state.full;
            for mut line in lines {
                if full {
                    break;
                }
                line.n = state.lines + begins.len() as u64;
                let begin = text.len();
                begins.push(state.length + begin as u64);
                write(&mut text, &line)?;
                if state.length + text.len() as u64 + MARK_BYTES > self.most {
                    text.truncate(begin);
                    let mut mark = LogLine::new(line.ms, LogLevel::Warn, MARK);
                    mark.n = line.n;
                    write(&mut text, &mark)?;
                    full = true;
                }
            }
            self.write(state, &text)?;
            for begin in begins {
                state.note(begin);
            }
            state.full = full;
            Ok(())
        })
    }

    fn write(&self, state: &mut State, text: &[u8]) -> Result<(), Error> {
        if text.is_empty() {
            return Ok(());
        }
        let failed = |error| Error::storage("cannot write", &self.path, error);
        let file = match &mut state.file {
            Some(file) => file,
            none => none.insert(open_to_write(&self.path, state.length).map_err(failed)?),
        };
        if let Err(error) = file.write_all(text) {
            // What was written of it goes; if that fails too, the next one to open the file does it.
            state.file = None;
            return Err(failed(error));
        }
        state.length += text.len() as u64;
        Ok(())
    }

    pub(super) fn read(&self, from: u64, limit: usize) -> Result<(Vec<LogLine>, u64), Error> {
        let (start, place, skip, length) = self.loaded(|state| {
            let start = from.min(state.lines);
            let block = usize::try_from(start / STRIDE).unwrap_or(usize::MAX);
            let place = state.places.get(block).copied().unwrap_or(state.length);
            Ok((start, place, start % STRIDE, state.length))
        })?;
        if place >= length {
            return Ok((Vec::new(), start));
        }
        let lines = self.read_at(place, length, skip, limit);
        let lines = lines.map_err(|error| Error::storage("cannot read", &self.path, error))?;
        let lines: Vec<LogLine> =
            lines.iter().zip(start..).map(|(text, number)| parse(text, number)).collect();
        let next = start + lines.len() as u64;
        Ok((lines, next))
    }

    fn read_at(
        &self,
        place: u64,
        length: u64,
        skip: u64,
        limit: usize,
    ) -> io::Result<Vec<Vec<u8>>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(place))?;
        let mut reader = BufReader::new(io::Read::take(file, length - place));
        for _ in 0..skip {
            reader.skip_until(b'\n')?;
        }
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while lines.len() < limit && bytes < READ {
            let mut line = Vec::new();
            if reader.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            bytes += line.len() as u64;
            lines.push(line);
        }
        Ok(lines)
    }

    /// Works on the state, which is read from the file if this is the first time.
    fn loaded<T>(&self, work: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T, Error> {
        let mut state: MutexGuard<'_, Option<State>> =
            self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = match &mut *state {
            Some(state) => state,
            none => {
                let found = State::of(&self.path)
                    .map_err(|error| Error::storage("cannot read", &self.path, error))?;
                none.insert(found)
            }
        };
        let outcome = work(state);
        self.end.send_if_modified(|end| std::mem::replace(end, state.lines) != state.lines);
        outcome
    }
}

impl State {
    fn of(path: &PathBuf) -> io::Result<Self> {
        let mut state = Self { file: None, length: 0, lines: 0, places: Vec::new(), full: false };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(state),
            Err(error) => return Err(error),
        };
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            // A line that was cut off does not count.
            if reader.read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
                return Ok(state);
            }
            state.note(state.length);
            state.length += line.len() as u64;
            state.full = line.windows(MARK.len()).any(|words| words == MARK.as_bytes());
        }
    }

    /// One more line, that begins here.
    fn note(&mut self, begin: u64) {
        if self.lines.is_multiple_of(STRIDE) {
            self.places.push(begin);
        }
        self.lines += 1;
    }
}

fn open_to_write(path: &PathBuf, length: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let mut file = options.open(path)?;
    file.set_len(length)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

fn write(text: &mut Vec<u8>, line: &LogLine) -> Result<(), Error> {
    serde_json::to_writer(&mut *text, line)
        .map_err(|error| Error::Bug { what: "writing a line", problem: error.to_string() })?;
    text.push(b'\n');
    Ok(())
}

/// A line that is no longer what was written is shown as it is.
fn parse(text: &[u8], number: u64) -> LogLine {
    let parsed = serde_json::from_slice(text);
    let mut line: LogLine = parsed.unwrap_or_else(|_damaged| {
        LogLine::new(0, LogLevel::Info, String::from_utf8_lossy(text).trim_end())
    });
    line.n = number;
    line
}
