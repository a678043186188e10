//! The smallest HTTP client that shows everything: one request, one connection, the answer as it came.
//!
//! It sends paths exactly as they are written, which well-kept clients do not, and takes the answer's head apart no
//! further than tests need.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body, without transfer encoding.
    pub body: Vec<u8>,
    /// The body ended where the head said it would.
    pub whole: bool,
}

impl Answer {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _value)| key == name).map(|(_key, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// GET, PUT, ...
    pub method: &'a str,
    /// As it stands in the first line.
    pub path: &'a str,
    /// Further headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// GET over TCP. `address` is HOST:PORT.
///
/// # Errors
/// The connection fails, or what comes is no HTTP.
pub fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<Answer> {
    request(address, &Request { method: "GET", path, headers, body: b"" })
}

/// Any request over TCP. `address` is HOST:PORT.
///
/// # Errors
/// The connection fails, or what comes is no HTTP.
pub fn request(address: &str, request: &Request<'_>) -> io::Result<Answer> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    exchange(stream, request)
}

/// Any request over a Unix socket.
///
/// # Errors
/// The connection fails, or what comes is no HTTP.
pub fn request_unix(socket: &Path, request: &Request<'_>) -> io::Result<Answer> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    exchange(stream, request)
}

fn exchange(mut stream: impl Read + Write, request: &Request<'_>) -> io::Result<Answer> {
    let Request { method, path, headers, body } = request;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in *headers {
        write!(head, "{name}: {value}\r\n").expect("a String takes everything");
    }
    if !body.is_empty() {
        write!(head, "Content-Length: {}\r\n", body.len()).expect("a String takes everything");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    // A connection that breaks in the middle of a body is an answer too: its bytes are looked at.
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        bytes.extend_from_slice(&chunk[..count]);
    }
    parse(&bytes, *method == "HEAD")
}

fn parse(bytes: &[u8], bare: bool) -> io::Result<Answer> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let end = find(bytes, b"\r\n\r\n").ok_or_else(|| broken("no head"))?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status =
        status.and_then(|status| status.parse().ok()).ok_or_else(|| broken("no status"))?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let rest = &bytes[end + 4..];
    let mut answer = Answer { status, headers, body: rest.to_vec(), whole: true };
    let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if answer.header("transfer-encoding") == Some("chunked") {
        (answer.body, answer.whole) = unchunk(rest);
    } else if let Some(length) = length.filter(|_| !bare && status != 304) {
        answer.whole = rest.len() == length;
    }
    Ok(answer)
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = find(rest, b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]);
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else { return (body, false) };
        let from = end + 2;
        let Some(chunk) = rest.get(from..from + size) else { return (body, false) };
        body.extend_from_slice(chunk);
        if size == 0 {
            return (body, true);
        }
        rest = rest.get(from + size + 2..).unwrap_or_default();
    }
    (body, false)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_is_put_together_and_a_cut_one_is_seen() {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        let whole = [head.as_slice(), b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"].concat();
        let answer = parse(&whole, false).expect("HTTP");
        assert_eq!((answer.text().as_str(), answer.whole), ("abcde", true));
        let cut = parse(&[head.as_slice(), b"3\r\nabc\r\n5\r\nde"].concat(), false).expect("HTTP");
        assert_eq!((cut.text().as_str(), cut.whole), ("abc", false));
    }
}
