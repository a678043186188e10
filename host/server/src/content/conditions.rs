//! Conditional requests: whether the client has the file already, or another one than it thinks.
//!
//! Source: RFC 9110, 13.1 and 13.2.2 (order of evaluation).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};

/// What a file is compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validators {
    /// The strong entity tag, with its quotes; none while the file's digest is not known.
    pub(crate) etag: Option<String>,
    /// When it changed last, to the second.
    pub(crate) modified: SystemTime,
}

/// What the conditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: the client expected another one.
    Failed,
}

impl Validators {
    /// Validators of a file that changed at `modified_ms`.
    pub(crate) fn new(digest: Option<&str>, modified_ms: i64) -> Self {
        let seconds = u64::try_from(modified_ms).unwrap_or(0) / 1000;
        let etag = digest.map(|hex| format!("\"{hex}\""));
        Self { etag, modified: UNIX_EPOCH + Duration::from_secs(seconds) }
    }

    /// Puts `ETag` and `Last-Modified` into an answer.
    pub(crate) fn describe(&self, headers: &mut HeaderMap) {
        if let Some(value) = self.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok())
        {
            headers.insert(header::ETAG, value);
        }
        let date = httpdate::fmt_http_date(self.modified);
        if let Ok(value) = HeaderValue::try_from(date) {
            headers.insert(header::LAST_MODIFIED, value);
        }
    }

    /// Evaluates the conditions of a GET or HEAD request.
    pub(crate) fn evaluate(&self, headers: &HeaderMap) -> Verdict {
        if !self.expected(headers) {
            Verdict::Failed
        } else if self.known(headers) {
            Verdict::NotModified
        } else {
            Verdict::Proceed
        }
    }

    /// Whether a `Range` may be answered with a part: there is no `If-Range`, or it names this
    /// very file.
    pub(crate) fn range_applies(&self, headers: &HeaderMap) -> bool {
        let Some(value) = text(headers, &header::IF_RANGE) else {
            return !headers.contains_key(header::IF_RANGE);
        };
        if value.starts_with('"') || value.starts_with("W/") {
            return self.etag.as_deref() == Some(value);
        }
        date(value) == Some(self.modified)
    }

    /// `If-Match`, else `If-Unmodified-Since`.
    fn expected(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(header::IF_MATCH) {
            return self.matches(headers, &header::IF_MATCH, false);
        }
        text(headers, &header::IF_UNMODIFIED_SINCE)
            .and_then(date)
            .is_none_or(|since| self.modified <= since)
    }

    /// `If-None-Match`, else `If-Modified-Since`.
    fn known(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(header::IF_NONE_MATCH) {
            return self.matches(headers, &header::IF_NONE_MATCH, true);
        }
        text(headers, &header::IF_MODIFIED_SINCE)
            .and_then(date)
            .is_some_and(|since| self.modified <= since)
    }

    /// Whether one of the tags listed under `name` is ours. Weak comparison takes `W/"x"` for
    /// `"x"`; strong comparison knows no weak tags.
    fn matches(&self, headers: &HeaderMap, name: &HeaderName, weak: bool) -> bool {
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(|list| {
            // Our tags hold no comma, so a foreign tag that does may be cut: it matches nothing.
            list.split(',').map(str::trim).any(|tag| {
                let tag = if weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
                tag == "*" || self.etag.as_deref() == Some(tag)
            })
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str = "Sat, 21 Nov 2026 10:00:00 GMT";
    const BEFORE: &str = "Sat, 21 Nov 2026 09:59:59 GMT";
    const AFTER: &str = "Sat, 21 Nov 2026 10:00:01 GMT";

    fn file() -> Validators {
        let modified = httpdate::parse_http_date(DAY).unwrap();
        let ms = modified.duration_since(UNIX_EPOCH).unwrap().as_millis();
        // Half a second more than any HTTP date can say.
        Validators::new(Some("abc"), i64::try_from(ms).unwrap() + 500)
    }

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in list {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn conditions_are_evaluated_in_the_order_of_http() {
        let check = |list: &[(&'static str, &'static str)], expected| {
            assert_eq!(file().evaluate(&headers(list)), expected, "{list:?}");
        };
        check(&[], Verdict::Proceed);
        check(&[("if-none-match", "\"abc\"")], Verdict::NotModified);
        check(&[("if-none-match", "W/\"abc\"")], Verdict::NotModified);
        check(&[("if-none-match", "\"x\", \"abc\"")], Verdict::NotModified);
        check(&[("if-none-match", "\"x\""), ("if-none-match", "\"abc\"")], Verdict::NotModified);
        check(&[("if-none-match", "*")], Verdict::NotModified);
        check(&[("if-none-match", "\"x\"")], Verdict::Proceed);
        // A tag that differs beats a date that does not.
        check(&[("if-none-match", "\"x\""), ("if-modified-since", DAY)], Verdict::Proceed);
        check(&[("if-modified-since", DAY)], Verdict::NotModified);
        check(&[("if-modified-since", AFTER)], Verdict::NotModified);
        check(&[("if-modified-since", BEFORE)], Verdict::Proceed);
        check(&[("if-modified-since", "yesterday")], Verdict::Proceed);
        check(&[("if-match", "\"abc\"")], Verdict::Proceed);
        check(&[("if-match", "*")], Verdict::Proceed);
        check(&[("if-match", "W/\"abc\"")], Verdict::Failed);
        check(&[("if-match", "\"x\"")], Verdict::Failed);
        check(&[("if-match", "\"abc\""), ("if-unmodified-since", BEFORE)], Verdict::Proceed);
        check(&[("if-unmodified-since", DAY)], Verdict::Proceed);
        check(&[("if-unmodified-since", BEFORE)], Verdict::Failed);
    }

    #[test]
    fn if_range_wants_the_very_same_file() {
        let check = |value: &'static str, expected| {
            let headers = headers(&[("if-range", value)]);
            assert_eq!(file().range_applies(&headers), expected, "{value}");
        };
        check("\"abc\"", true);
        check("W/\"abc\"", false);
        check("\"x\"", false);
        check(DAY, true);
        check(AFTER, false);
        check("nonsense", false);
        assert!(file().range_applies(&HeaderMap::new()));
    }

    #[test]
    fn a_file_of_unknown_digest_has_a_date_only() {
        let mut headers = HeaderMap::new();
        Validators::new(None, 0).describe(&mut headers);
        assert!(!headers.contains_key(header::ETAG));
        assert_eq!(headers[header::LAST_MODIFIED], "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
