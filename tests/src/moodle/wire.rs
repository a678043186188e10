//! HTTP/1.1 as far as the Moodle-speaking server needs it: a form in, an answer out, maybe cut off.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write};

use url::form_urlencoded;

/// What one line, and a form, may have.
const MAX_LINE: u64 = 16 << 10;
const MAX_FORM: usize = 64 << 10;

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// As it stands in the first line.
    pub(super) target: String,
    /// In lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// Of the address and of the body, as PHP has them.
    pub(super) parameters: HashMap<String, String>,
}

impl Request {
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// The connection breaks after so many bytes of the body.
    pub(super) cut: Option<usize>,
    /// Nobody listens any more when that happens.
    pub(super) dies: bool,
}

/// The next request; `None` at the end, and when it is none.
pub(super) fn read(reader: &mut BufReader<impl Read>) -> Option<Request> {
    let first = line(reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let line = line(reader)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut form = vec![0; usize::min(length, MAX_FORM)];
    reader.read_exact(&mut form).ok()?;
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let both = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(&form));
    let parameters = both.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    Some(Request { method, target, headers, parameters })
}

fn line(reader: &mut BufReader<impl Read>) -> Option<String> {
    let mut line = String::new();
    reader.take(MAX_LINE).read_line(&mut line).ok().filter(|count| *count > 0)?;
    Some(line)
}

/// Whether the connection goes on.
pub(super) fn write(stream: &mut impl Write, answer: &Answer) -> bool {
    let mut head = format!("HTTP/1.1 {} Answer\r\n", answer.status);
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").expect("a String takes everything");
    }
    write!(head, "Content-Length: {}\r\n\r\n", answer.body.len())
        .expect("a String takes everything");
    let end = answer.cut.map_or(answer.body.len(), |cut| cut.min(answer.body.len()));
    let written = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&answer.body[..end]))
        .and_then(|()| stream.flush());
    written.is_ok() && answer.cut.is_none()
}
