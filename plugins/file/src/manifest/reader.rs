//! A whole manifest, line by line.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, BufRead, Read};

use super::line::{self, Entry, LineError};
use crate::path::shown;

/// The longest line: a path of 4,096 bytes with every character doubled by quoting, digest, size, blanks.
pub const MAX_LINE_BYTES: usize = 16 << 10;
/// The most files of one manifest: what the memory of doubled paths is bounded by.
pub const MAX_ENTRIES: usize = 5_000_000;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A line breaks the format.
    #[error("line {line}: {source}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        source: LineError,
    },
    /// A line is not text.
    #[error("line {line}: it is not UTF-8, from byte {byte} of the line on")]
    NotUtf8 {
        /// Counted from 1.
        line: u64,
        /// Counted from 1.
        byte: usize,
    },
    /// A path is listed twice with different digests.
    #[error("line {line}: \"{path}\" was listed on line {first} with another sha256")]
    Conflict {
        /// Counted from 1.
        line: u64,
        /// The line that listed it first.
        first: u32,
        /// The path, cut.
        path: String,
    },
    /// The manifest lists itself.
    #[error("line {line}: the manifest lists itself, \"{path}\"")]
    Itself {
        /// Counted from 1.
        line: u64,
        /// The path, cut.
        path: String,
    },
    /// A line that no path needs.
    #[error("line {line}: it is longer than {MAX_LINE_BYTES} bytes")]
    LongLine {
        /// Counted from 1.
        line: u64,
    },
    /// More files than the limit.
    #[error("line {line}: the manifest lists more than {MAX_ENTRIES} files")]
    TooMany {
        /// Counted from 1.
        line: u64,
    },
    /// The bytes cannot be read.
    #[error("the manifest cannot be read: {source}")]
    Read {
        /// What the system says.
        source: io::Error,
    },
}

impl ReadError {
    /// Whether a limit was reached, not a rule broken.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::LongLine { .. } | Self::TooMany { .. })
    }
}

/// What comes next in a manifest.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A file that was not listed before.
    File(Entry<'a>),
    /// A file that an earlier line listed with the same digest.
    Doubled {
        /// The path.
        path: String,
        /// The line it stands on, counted from 1.
        line: u64,
        /// The line that listed it first.
        first: u32,
    },
}

/// Reads a manifest. Memory grows by some 50 bytes a file, never with the length of a line.
pub struct Reader<R> {
    input: R,
    own_name: String,
    text: Vec<u8>,
    line: u64,
    seen: Seen,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `input`, which is called `own_name` and lies beside the files.
    pub fn new(input: R, own_name: impl Into<String>) -> Self {
        let seen = Seen::default();
        Self { input, own_name: own_name.into(), text: Vec::new(), line: 0, seen }
    }

    /// The next file; `None` at the end.
    ///
    /// # Errors
    /// The first line that breaks a rule, with its number. Reading must not go on after it.
    pub fn read_next(&mut self) -> Result<Option<Next<'_>>, ReadError> {
        // Two steps, because a line that says nothing must be let go before the next one is read.
        while self.read_line()? {
            if says_something(&self.text) {
                return self.entry().map(Some);
            }
        }
        Ok(None)
    }

    fn read_line(&mut self) -> Result<bool, ReadError> {
        self.text.clear();
        self.line += 1;
        let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX) + 1;
        let read = (&mut self.input).take(limit).read_until(b'\n', &mut self.text);
        let read = read.map_err(|source| ReadError::Read { source })?;
        if self.text.len() > MAX_LINE_BYTES {
            return Err(ReadError::LongLine { line: self.line });
        }
        if self.line == 1 && self.text.starts_with(BYTE_ORDER_MARK) {
            self.text.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(read > 0)
    }

    fn entry(&mut self) -> Result<Next<'_>, ReadError> {
        let line = self.line;
        let text = str::from_utf8(&self.text)
            .map_err(|error| ReadError::NotUtf8 { line, byte: error.valid_up_to() + 1 })?;
        let entry = line::read(text).map_err(|source| ReadError::Line { line, source })?;
        // `says_something` and `read` agree but for blanks outside ASCII, which leave an empty path.
        let Some(entry) = entry else {
            let source = LineError::Parts { shown: shown(text) };
            return Err(ReadError::Line { line, source });
        };
        if entry.path == self.own_name {
            return Err(ReadError::Itself { line, path: shown(&entry.path) });
        }
        match self.seen.add(&entry, line) {
            Sight::New if self.seen.files.len() > MAX_ENTRIES => Err(ReadError::TooMany { line }),
            Sight::New => Ok(Next::File(entry)),
            Sight::Same { first } => {
                Ok(Next::Doubled { path: entry.path.into_owned(), line, first })
            }
            Sight::Other { first } => {
                Err(ReadError::Conflict { line, first, path: shown(&entry.path) })
            }
        }
    }
}

fn says_something(line: &[u8]) -> bool {
    match str::from_utf8(line) {
        Ok(text) => {
            let text = text.trim_start();
            !text.is_empty() && !text.starts_with('#')
        }
        Err(_not_utf8) => !line.trim_ascii_start().starts_with(b"#"),
    }
}

/// The files so far: what identifies a path, what its digest begins with, and its line. Paths themselves are not
/// kept. Two 64-bit hashes with secret keys identify a path: nobody can prepare two that collide.
#[derive(Default)]
struct Seen {
    keys: [RandomState; 2],
    files: HashMap<(u64, u64), (u128, u32)>,
}

enum Sight {
    New,
    Same { first: u32 },
    Other { first: u32 },
}

impl Seen {
    fn add(&mut self, entry: &Entry<'_>, line: u64) -> Sight {
        let [one, two] = &self.keys;
        let path = (one.hash_one(&*entry.path), two.hash_one(&*entry.path));
        let digits = entry.sha256.get(..32).unwrap_or_default();
        let digest = u128::from_str_radix(digits, 16).unwrap_or_default();
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let (known, first) = *self.files.entry(path).or_insert((digest, line));
        if first == line {
            Sight::New
        } else if known == digest {
            Sight::Same { first }
        } else {
            Sight::Other { first }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    const OTHER: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn read(text: impl AsRef<[u8]>) -> Result<Vec<String>, ReadError> {
        let mut reader = Reader::new(text.as_ref(), "PULP_MANIFEST");
        let mut found = Vec::new();
        while let Some(next) = reader.read_next()? {
            found.push(match next {
                Next::File(entry) => entry.path.into_owned(),
                Next::Doubled { path, line, first } => format!("{path} again: {line}, {first}"),
            });
        }
        Ok(found)
    }

    fn message(text: impl AsRef<[u8]>) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn files_come_in_their_order_and_the_last_line_may_lack_its_end() {
        let text = format!("b,{SUM},1\n\n# two\n  \na/x,{SUM},2\r\nc,{SUM},0");
        assert_eq!(read(text).unwrap(), ["b", "a/x", "c"]);
        assert!(read("").unwrap().is_empty());
        assert!(read("# nothing\n").unwrap().is_empty());
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let text = format!("a,{SUM},1\n# comment\n\nbad line\nb,{SUM},1\n");
        assert!(
            message(text).starts_with("line 4: it is not of the form"),
            "number counts all lines"
        );
        assert!(message(format!("../x,{SUM},1")).starts_with("line 1: "));
    }

    #[test]
    fn a_path_listed_twice_with_one_digest_is_told_and_left_out() {
        let text = format!("a,{SUM},1\nb,{SUM},1\na,{},1\n", SUM.to_uppercase());
        assert_eq!(read(text).unwrap(), ["a", "b", "a again: 3, 1"]);
    }

    #[test]
    fn a_path_listed_twice_with_two_digests_is_an_error() {
        let text = format!("a,{SUM},1\n\na,{OTHER},1\n");
        assert_eq!(message(text), "line 3: \"a\" was listed on line 1 with another sha256");
    }

    #[test]
    fn the_manifests_own_name_must_not_be_listed() {
        let own = message(format!("a,{SUM},1\nPULP_MANIFEST,{SUM},1\n"));
        assert_eq!(own, "line 2: the manifest lists itself, \"PULP_MANIFEST\"");
        assert_eq!(read(format!("sub/PULP_MANIFEST,{SUM},1\n")).unwrap(), ["sub/PULP_MANIFEST"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_name() {
        assert_eq!(read(format!("\u{feff}a,{SUM},1\n")).unwrap(), ["a"]);
        assert!(read("\u{feff}# comment\n").unwrap().is_empty());
    }

    #[test]
    fn text_that_is_not_utf_8_is_an_error_with_its_place() {
        let mut text = format!("a,{SUM},1\nx").into_bytes();
        text.extend(b"\xff\n");
        assert_eq!(message(text), "line 2: it is not UTF-8, from byte 2 of the line on");
    }

    #[test]
    fn a_line_without_end_is_a_limit_and_is_not_gathered_f103() {
        let endless = io::BufReader::new(io::repeat(b'x').take(1 << 30));
        let mut reader = Reader::new(endless, "PULP_MANIFEST");
        assert!(matches!(reader.read_next(), Err(ReadError::LongLine { line: 1 })));
        assert!(reader.text.capacity() < 4 * MAX_LINE_BYTES);
    }

    #[test]
    fn a_hundred_thousand_lines_are_read() {
        let mut text = Vec::new();
        for n in 0..120_000 {
            line::write(&mut text, &format!("dir-{}/file-{n}.bin", n % 100), SUM, n);
        }
        assert_eq!(read(text).unwrap().len(), 120_000);
    }

    #[test]
    fn a_failing_reader_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let mut reader = Reader::new(io::BufReader::new(Broken), "PULP_MANIFEST");
        assert!(matches!(reader.read_next(), Err(ReadError::Read { .. })));
    }
}
