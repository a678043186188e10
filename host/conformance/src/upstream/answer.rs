//! One answer: the file with validators and ranges, or what the trick makes of it.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Plan, Seen, Shared, Trick};
use crate::units::sha256;

const PYTHON_JSON: &str = "application/vnd.pypi.simple.v1+json";

/// What is sent, and how.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What the head says; None: nothing, and the connection's end is the end.
    length: Option<usize>,
    /// Where it breaks, and whether it stalls there before it does.
    breaks: Option<(usize, bool)>,
    /// How much at a time, and the pause behind it.
    drips: Option<(usize, Duration)>,
}

impl Reply {
    fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        let length = Some(body.len());
        Self { status, headers, body, length, breaks: None, drips: None }
    }

    fn plain(status: u16, headers: Vec<(String, String)>) -> Self {
        Self::new(status, headers, Vec::new())
    }
}

/// Answers. Returns the status and whether the connection can go on.
pub(super) fn answer(
    shared: &Shared,
    stream: &TcpStream,
    request: &Seen,
    plan: &Plan,
) -> (u16, bool) {
    let trick = match plan {
        Plan::File { trick, .. } => trick.as_ref(),
        Plan::Text(_) => None,
    };
    match trick {
        Some(Trick::HangUp) => return (0, false),
        Some(Trick::Hold) => shared.hold(),
        Some(Trick::Endless(bytes)) => {
            // The peer gives up before the end; that is what it is for.
            drop(endless(stream, *bytes));
            return (200, false);
        }
        _ => {}
    }
    let reply = match plan {
        Plan::File { path, trick } => reply(shared, (request, path), trick.as_ref()),
        Plan::Text(text) => {
            let kind = ("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned());
            Reply::new(200, vec![kind], text.clone().into_bytes())
        }
    };
    let status = reply.status;
    let sent = send(shared, stream, request, &reply);
    (status, sent.is_ok() && reply.breaks.is_none() && reply.length.is_some())
}

fn reply(shared: &Shared, (request, path): (&Seen, &str), trick: Option<&Trick>) -> Reply {
    match trick {
        Some(Trick::Status(status, headers)) => return Reply::plain(*status, headers.clone()),
        Some(Trick::Redirect(url)) => {
            return Reply::plain(302, vec![("Location".to_owned(), url.clone())]);
        }
        _ => {}
    }
    let (file, media) = found(shared, request, path);
    let inside = !path.split('/').any(|segment| segment == "..");
    let Some((bytes, changed)) = Some(file).filter(|_| inside).and_then(|file| load(&file)) else {
        return Reply::plain(404, Vec::new());
    };
    if trick == Some(&Trick::Plain) {
        return Reply::new(200, Vec::new(), bytes);
    }
    let mut reply = proper(request, bytes, changed);
    let media = media.map(|media| ("Content-Type".to_owned(), media.to_owned()));
    reply.headers.extend(media);
    spoil(reply, trick)
}

/// The file that is asked for. A folder is the index in it: that of a Python package index in JSON if it is there and
/// the client takes it, else the one for people.
fn found(shared: &Shared, request: &Seen, path: &str) -> (PathBuf, Option<&'static str>) {
    let file = shared.folder.join(path.trim_start_matches('/'));
    if !path.ends_with('/') {
        return (file, None);
    }
    let accept = request.headers.get("accept").map_or("", String::as_str);
    let json = file.join("index.v1.json");
    if accept.contains(PYTHON_JSON) && json.is_file() {
        return (json, Some(PYTHON_JSON));
    }
    (file.join("index.html"), Some("text/html"))
}

fn load(file: &std::path::Path) -> Option<(Vec<u8>, SystemTime)> {
    let changed = fs::metadata(file).ok().filter(fs::Metadata::is_file)?.modified().ok()?;
    Some((fs::read(file).ok()?, changed))
}

/// The file as a good server gives it.
fn proper(request: &Seen, bytes: Vec<u8>, changed: SystemTime) -> Reply {
    let tag = format!("\"{}\"", sha256(&bytes).get(..16).unwrap_or_default());
    let date = httpdate::fmt_http_date(changed);
    let headers = vec![
        ("ETag".to_owned(), tag.clone()),
        ("Last-Modified".to_owned(), date.clone()),
        ("Accept-Ranges".to_owned(), "bytes".to_owned()),
    ];
    let asked = |name: &str| request.headers.get(name).map(String::as_str);
    let same = match (asked("if-none-match"), asked("if-modified-since")) {
        (Some(tags), _) => tags == tag,
        (None, Some(since)) => since == date,
        (None, None) => false,
    };
    if same {
        return Reply::plain(304, headers);
    }
    let holds = asked("if-range").is_none_or(|range| range == tag || range == date);
    let from = asked("range").filter(|_| holds).and_then(first_byte);
    match from {
        Some(from) if from < bytes.len() => {
            let mut headers = headers;
            let last = bytes.len() - 1;
            headers
                .push(("Content-Range".to_owned(), format!("bytes {from}-{last}/{}", bytes.len())));
            Reply::new(206, headers, bytes.get(from..).unwrap_or_default().to_vec())
        }
        Some(_beyond) => {
            let headers = vec![("Content-Range".to_owned(), format!("bytes */{}", bytes.len()))];
            Reply::plain(416, headers)
        }
        None => Reply::new(200, headers, bytes),
    }
}

/// The start of an open range, the only kind that a download asks for.
fn first_byte(range: &str) -> Option<usize> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn spoil(mut reply: Reply, trick: Option<&Trick>) -> Reply {
    match trick {
        Some(Trick::Cut(after)) => reply.breaks = Some((*after, false)),
        Some(Trick::Stall(after)) => reply.breaks = Some((*after, true)),
        Some(Trick::Short(by)) => reply.body.truncate(reply.body.len().saturating_sub(*by)),
        Some(Trick::Long(by)) => reply.body.resize(reply.body.len() + by, b'+'),
        Some(Trick::WrongBytes) => reply.body.iter_mut().for_each(|byte| *byte ^= 0x55),
        Some(Trick::Instead(bytes)) => reply.body.clone_from(bytes),
        Some(Trick::Packed(bytes)) => {
            reply.body.clone_from(bytes);
            reply.headers.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
        }
        Some(Trick::Drip(bytes, pause)) => reply.drips = Some(((*bytes).max(1), *pause)),
        Some(Trick::Headers(headers)) => reply.headers.extend(headers.iter().cloned()),
        _ => {}
    }
    if reply.status != 304 {
        reply.length = Some(reply.body.len());
    }
    reply
}

fn send(shared: &Shared, stream: &TcpStream, request: &Seen, reply: &Reply) -> io::Result<()> {
    let mut stream = stream;
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    for (name, value) in &reply.headers {
        // A String takes everything.
        let _written = write!(head, "{name}: {value}\r\n");
    }
    if let Some(length) = reply.length {
        let _written = write!(head, "Content-Length: {length}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if request.method == "HEAD" {
        return Ok(());
    }
    if let Some((bytes, pause)) = reply.drips {
        for piece in reply.body.chunks(bytes) {
            stream.write_all(piece)?;
            shared.pause(pause)?;
        }
        return Ok(());
    }
    let Some((after, stalls)) = reply.breaks else { return stream.write_all(&reply.body) };
    stream.write_all(reply.body.get(..after).unwrap_or(&reply.body))?;
    if stalls {
        shared.hold();
    }
    Ok(())
}

/// A body without end, as far as `bytes`.
fn endless(stream: &TcpStream, bytes: u64) -> io::Result<()> {
    let mut stream = stream;
    stream.write_all(b"HTTP/1.1 200 Scripted\r\nConnection: close\r\n\r\n")?;
    let block = vec![b'~'; 64 * 1024];
    for _ in 0..bytes / block.len() as u64 {
        stream.write_all(&block)?;
    }
    Ok(())
}
