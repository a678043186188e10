//! One paragraph, borrowed from its reader.

use std::borrow::Cow;
use std::ops::Range;

/// Where a field lies in the paragraph's text.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: Range<usize>,
    /// From behind the colon to the end of the last line that belongs to it, its line break included.
    pub(super) value: Range<usize>,
}

/// Fields with their values, in the order read.
#[derive(Clone, Copy, Debug)]
pub struct Paragraph<'a> {
    text: &'a [u8],
    fields: &'a [Field],
    line: u64,
}

impl<'a> Paragraph<'a> {
    pub(super) fn new(text: &'a [u8], fields: &'a [Field], line: u64) -> Self {
        Self { text, fields, line }
    }

    /// The line that it begins on, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// A field's value without blanks around it. Names are compared without regard to case; of fields that occur
    /// twice the last one counts, as in apt.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let named = |field: &&Field| self.slice(&field.name).eq_ignore_ascii_case(name.as_bytes());
        let field = self.fields.iter().rev().find(named)?;
        Some(self.slice(&field.value).trim_ascii())
    }

    /// A field's value as text; what is not UTF-8 is read as Latin-1.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(text)
    }

    /// Names and values as they stand, each value with its continuation lines.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let text = self.text;
        let slice = move |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        self.fields.iter().map(move |field| (slice(&field.name), slice(&field.value).trim_ascii()))
    }

    /// The lines of a value that has one entry a line, without the empty first one.
    pub fn lines(&self, name: &str) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let value = self.get(name).unwrap_or_default();
        value
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|it| !it.is_empty())
            .map(text)
    }

    /// The words of a value.
    pub fn words(&self, name: &str) -> Vec<String> {
        let value = self.text(name).unwrap_or_default();
        value.split_ascii_whitespace().map(str::to_owned).collect()
    }

    /// All fields but these, as they stand; each ends with a line break.
    pub fn without(&self, names: &[&str]) -> Cow<'a, str> {
        let left_out = |field: &Field| {
            let name = self.slice(&field.name);
            names.iter().any(|left_out| name.eq_ignore_ascii_case(left_out.as_bytes()))
        };
        let mut kept = Vec::with_capacity(self.text.len());
        for field in self.fields.iter().filter(|field| !left_out(field)) {
            kept.extend_from_slice(self.slice(&(field.name.start..field.value.end)));
        }
        match String::from_utf8(kept) {
            Ok(text) => Cow::Owned(text),
            Err(error) => Cow::Owned(text(error.as_bytes()).into_owned()),
        }
    }

    fn slice(&self, range: &Range<usize>) -> &'a [u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_latin) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}
