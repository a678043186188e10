//! Headers of answers: which bytes of a whole a partial answer holds, and how long a server asks to be left alone. Source: RFC
//! 9110, 10.2.3 and 14.4.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_RANGE, HeaderMap, RETRY_AFTER};

/// The first byte, and the size of the whole where it is told. `None`: the answer does not say it in bytes.
pub fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    range(headers.get(CONTENT_RANGE)?.to_str().ok()?)
}

/// `bytes 5-9/10`.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (span, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, _to) = span.split_once('-')?;
    Some((from.trim().parse().ok()?, size.parse().ok()))
}

/// How long a server asks to be left alone, in seconds or until a date. A moment that is over is no time at all.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        for (text, read) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 0-0/*", Some((0, None))),
            ("bytes */10", None),
            ("items 5-9/10", None),
            ("bytes -9/10", None),
        ] {
            assert_eq!(range(text), read, "{text}");
        }
    }

    #[test]
    fn a_server_names_seconds_or_a_date() {
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_mins(10));
        assert!(wait(&later).is_some_and(|wait| wait > Duration::from_mins(1)));
    }
}
