//! Reading paragraphs one by one.

use std::io::{self, BufRead, Read};

use super::paragraph::{Field, Paragraph};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why control data cannot be read. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// A line is neither a field nor the continuation of one.
    #[error("line {line}: it has no colon, and does not continue a field")]
    NoColon {
        /// Which.
        line: u64,
    },
    /// A line that begins with a blank and has nothing before it.
    #[error("line {line}: it continues a field, but there is none before it")]
    Continues {
        /// Which.
        line: u64,
    },
    /// What stands before the colon is no name.
    #[error("line {line}: what stands before the colon is no name of a field")]
    Name {
        /// Which.
        line: u64,
    },
    /// A paragraph without end.
    #[error("line {line}: the paragraph is longer than {limit} bytes")]
    Long {
        /// Which.
        line: u64,
        /// Bytes.
        limit: usize,
    },
    /// The bytes cannot be read, or unpacked.
    #[error("line {line}: it cannot be read: {source}")]
    Read {
        /// Which.
        line: u64,
        /// What the system or the decoder says.
        source: io::Error,
    },
}

impl ControlError {
    /// Whether a limit was reached, not a rule broken.
    pub fn is_limit(&self) -> bool {
        match self {
            Self::Long { .. } => true,
            Self::Read { source, .. } => source.kind() == io::ErrorKind::FileTooLarge,
            _ => false,
        }
    }
}

/// Reads control data. Memory is that of the longest paragraph.
pub struct Reader<R> {
    input: R,
    limit: usize,
    text: Vec<u8>,
    fields: Vec<Field>,
    line: u64,
}

/// What a line was.
enum Line {
    Field,
    Nothing,
    Blank,
    End,
}

impl<R: BufRead> Reader<R> {
    /// The longest paragraph of an index: the largest one seen in the field has 76 KB.
    pub const INDEX: usize = 384 << 10;
    /// The longest `Release`: one paragraph that lists every file.
    pub const RELEASE: usize = 16 << 20;

    /// Reads paragraphs of at most `limit` bytes each.
    pub fn new(input: R, limit: usize) -> Self {
        Self { input, limit, text: Vec::new(), fields: Vec::new(), line: 0 }
    }

    /// What it reads from.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// The next paragraph; `None` at the end.
    ///
    /// # Errors
    /// The first line that breaks a rule, with its number. Reading must not go on after it.
    pub fn read_next(&mut self) -> Result<Option<Paragraph<'_>>, ControlError> {
        self.text.clear();
        self.fields.clear();
        let mut first = self.line + 1;
        loop {
            match self.read_line()? {
                Line::Field | Line::Nothing => {}
                Line::Blank | Line::End if !self.fields.is_empty() => break,
                Line::Blank => first = self.line + 1,
                Line::End => return Ok(None),
            }
        }
        Ok(Some(Paragraph::new(&self.text, &self.fields, first)))
    }

    fn read_line(&mut self) -> Result<Line, ControlError> {
        self.line += 1;
        let (line, start) = (self.line, self.text.len());
        let room = u64::try_from(self.limit.saturating_sub(start)).unwrap_or(u64::MAX);
        let read = (&mut self.input).take(room.saturating_add(1)).read_until(b'\n', &mut self.text);
        if read.map_err(|source| ControlError::Read { line, source })? == 0 {
            return Ok(Line::End);
        }
        if self.text.len() > self.limit {
            return Err(ControlError::Long { line, limit: self.limit });
        }
        if line == 1 && self.text.starts_with(BYTE_ORDER_MARK) {
            self.text.drain(..BYTE_ORDER_MARK.len());
        }
        self.end_line(start);
        self.take_line(start)
    }

    /// Every line ends in one line break, whatever it ended in.
    fn end_line(&mut self, start: usize) {
        while self.text.len() > start && matches!(self.text.last(), Some(b'\n' | b'\r')) {
            self.text.pop();
        }
        self.text.push(b'\n');
    }

    fn take_line(&mut self, start: usize) -> Result<Line, ControlError> {
        let line = self.line;
        let (text, end) = (self.text.get(start..).unwrap_or_default(), self.text.len());
        match text.first() {
            Some(b'\n') | None => {
                self.text.truncate(start);
                return Ok(Line::Blank);
            }
            Some(b'#') => {
                self.text.truncate(start);
                return Ok(Line::Nothing);
            }
            Some(b' ' | b'\t') => {
                let Some(field) = self.fields.last_mut() else {
                    if text.trim_ascii().is_empty() {
                        self.text.truncate(start);
                        return Ok(Line::Nothing);
                    }
                    return Err(ControlError::Continues { line });
                };
                field.value.end = end;
                return Ok(Line::Field);
            }
            Some(_) => {}
        }
        let colon = text.iter().position(|byte| *byte == b':');
        let colon = colon.ok_or(ControlError::NoColon { line })?;
        let name = text.get(..colon).unwrap_or_default().trim_ascii_end();
        let fits = name.iter().all(u8::is_ascii_graphic) && !name.starts_with(b"-");
        if name.is_empty() || !fits {
            return Err(ControlError::Name { line });
        }
        let name = start..start + name.len();
        self.fields.push(Field { name, value: start + colon + 1..end });
        Ok(Line::Field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<Vec<(String, String)>>, ControlError> {
        let mut reader = Reader::new(text, 64);
        let mut all = Vec::new();
        while let Some(paragraph) = reader.read_next()? {
            let own = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            all.push(paragraph.fields().map(|(name, value)| (own(name), own(value))).collect());
        }
        Ok(all)
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn paragraphs_are_separated_by_empty_lines() {
        let all = read(b"\n\n# note\nA: 1\r\nB:2\n\n\n\nA:  3 \n").unwrap();
        assert_eq!(all, [vec![pair("A", "1"), pair("B", "2")], vec![pair("A", "3")]]);
        assert_eq!(read(b"").unwrap(), Vec::<Vec<_>>::new());
        assert_eq!(read(b"A:").unwrap(), [[pair("A", "")]], "the last line break may lack");
    }

    #[test]
    fn continuation_lines_are_kept_byte_for_byte() {
        let all = read(b"D: short\n long\n .\n\t x \nE: 1\n").unwrap();
        assert_eq!(all, [[pair("D", "short\n long\n .\n\t x"), pair("E", "1")]]);
    }

    #[test]
    fn names_are_found_in_any_case_and_the_last_one_counts() {
        let mut reader = Reader::new(&b"Size: 1\nsize: 2\nFiles:\n a b\n c d\n"[..], 99);
        let paragraph = reader.read_next().unwrap().unwrap();
        assert_eq!(paragraph.get("SIZE"), Some(&b"2"[..]));
        assert_eq!(paragraph.lines("files").collect::<Vec<_>>(), ["a b", "c d"]);
        assert_eq!(paragraph.without(&["SIZE"]), "Files:\n a b\n c d\n");
        assert_eq!((paragraph.get("none"), paragraph.line()), (None, 1));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_latin_1() {
        let mut reader = Reader::new(&b"Maintainer: J\xf6rg\n"[..], 99);
        let paragraph = reader.read_next().unwrap().unwrap();
        assert_eq!(paragraph.text("Maintainer").unwrap(), "Jörg");
        assert_eq!(paragraph.without(&[]), "Maintainer: Jörg\n");
    }

    #[test]
    fn lines_that_break_a_rule_are_named() {
        use ControlError as E;
        assert!(matches!(read(b"A: 1\nB 2\n"), Err(E::NoColon { line: 2 })));
        assert!(matches!(read(b"\n x\n"), Err(E::Continues { line: 2 })));
        assert!(matches!(read(b"A b: 1\n"), Err(E::Name { line: 1 })));
        assert!(matches!(read(b": 1\n"), Err(E::Name { line: 1 })));
        assert!(matches!(read(b"-----BEGIN: 1\n"), Err(E::Name { line: 1 })));
    }

    // F103
    #[test]
    fn a_paragraph_or_line_without_end_is_cut() {
        let long = [b"A: ".as_slice(), &[b'x'; 100]].concat();
        assert!(read(&long).unwrap_err().is_limit());
        assert!(read(&b"A: 1234567\n".repeat(9)).unwrap_err().is_limit());
    }
}
