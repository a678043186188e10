//! Which of several representations a client likes best.
//!
//! Source: RFC 9110, section 12.5.1 (Accept) and 12.4.2 (weights). Parameters of media types other than `q` are not
//! looked at: no representation differs from another by them alone.

use http::HeaderMap;
use http::header;

/// The most media ranges of a request that are looked at.
const MAX_RANGES: usize = 64;
/// A weight of 1, in thousandths.
const WHOLE: u16 = 1_000;

/// A representation that can be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    /// Its media type; parameters do not count.
    pub(super) media_type: &'a str,
    /// Other names of it, which no wildcard means.
    pub(super) also: &'a [String],
}

/// A media range with its weight.
struct Range<'a> {
    /// Both may be `*`.
    kind: &'a str,
    subtype: &'a str,
    weight: u16,
}

/// The place of the offer that is liked best; the first of those that are liked equally. None: none is acceptable.
pub(super) fn choose(headers: &HeaderMap, offers: &[Offer<'_>]) -> Option<usize> {
    let values = headers.get_all(header::ACCEPT).iter();
    let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let ranges: Vec<Range<'_>> =
        texts.iter().flat_map(|text| text.split(',')).take(MAX_RANGES).filter_map(range).collect();
    // Without the header, or with one that says nothing, everything is acceptable.
    if ranges.is_empty() {
        return (!offers.is_empty()).then_some(0);
    }
    let mut best: Option<(u16, usize)> = None;
    for (place, offer) in offers.iter().enumerate() {
        let weight = weight(offer, &ranges);
        if weight > best.map_or(0, |(best, _)| best) {
            best = Some((weight, place));
        }
    }
    best.map(|(_, place)| place)
}

/// The place of the offer that has this very media type, under whichever name.
pub(super) fn named(media_type: &str, offers: &[Offer<'_>]) -> Option<usize> {
    let is = |name: &str| essence(name).eq_ignore_ascii_case(media_type);
    offers.iter().position(|offer| is(offer.media_type) || offer.also.iter().any(|name| is(name)))
}

/// The media type that a query names, `format=TYPE`: for whoever cannot set headers.
pub(super) fn asked(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("format="))?;
    // A plus of a media type is meant as it stands: this is no form.
    let text = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
    Some(essence(&text).to_owned())
}

/// Whether the client takes bytes in this encoding. Source: RFC 9110, section 12.5.3; `*` counts for what is not named.
pub(super) fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    if encoding.is_empty() {
        return false;
    }
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let (mut own, mut any) = (None, None);
    for item in texts.flat_map(|text| text.split(',')).take(MAX_RANGES) {
        let (name, weight) = coding(item);
        if name.eq_ignore_ascii_case(encoding) {
            own = Some(weight);
        } else if name == "*" {
            any = Some(weight);
        }
    }
    own.or(any).is_some_and(|weight| weight > 0)
}

/// A coding with its weight.
fn coding(text: &str) -> (&str, u16) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    (name, parts.find_map(weighted).unwrap_or(WHOLE))
}

/// The weight of a parameter, if it is one.
fn weighted(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    name.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
}

/// The weight of the most specific range that means the offer, under the name that is liked best.
fn weight(offer: &Offer<'_>, ranges: &[Range<'_>]) -> u16 {
    let own = specific(essence(offer.media_type), ranges, 1);
    let others = offer.also.iter().map(|name| specific(name, ranges, 3));
    others.chain([own]).max().unwrap_or(0)
}

/// The weight of the most specific range that means this media type and is at least so specific.
fn specific(media_type: &str, ranges: &[Range<'_>], least: u8) -> u16 {
    let Some((kind, subtype)) = media_type.split_once('/') else { return 0 };
    let fitting = ranges.iter().filter_map(|range| {
        let same_kind = range.kind.eq_ignore_ascii_case(kind);
        let rank = match (range.kind, range.subtype) {
            ("*", "*") => 1,
            (_, "*") if same_kind => 2,
            (_, its) if same_kind && its.eq_ignore_ascii_case(subtype) => 3,
            _ => return None,
        };
        (rank >= least).then_some((rank, range.weight))
    });
    fitting.max().map_or(0, |(_, weight)| weight)
}

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let weight = parts.find_map(weighted);
    Some(Range { kind, subtype, weight: weight.unwrap_or(WHOLE) })
}

/// A weight, `0` to `1` with at most three digits behind the point. One that is none counts as 0.
fn thousandths(text: &str) -> u16 {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let part = format!("{digits:0<3}").parse().unwrap_or(0);
    match (whole, part) {
        ("1", _) => WHOLE,
        ("0", part) => part,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Media types of the offers, one with a second name, in the server's order.
    fn chosen(accept: Option<&str>) -> Option<&'static str> {
        let latest = ["application/x.latest+json".to_owned()];
        let offers = [
            Offer { media_type: "application/x.v1+json", also: &latest },
            Offer { media_type: "application/x.v1+html", also: &[] },
            Offer { media_type: "text/html; charset=utf-8", also: &[] },
        ];
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        }
        choose(&headers, &offers).map(|place| ["json", "html", "text"][place])
    }

    #[test]
    fn whoever_says_nothing_gets_the_first() {
        for accept in [None, Some(""), Some("*/*"), Some("nonsense"), Some("text/plain, */*;q=0.1")]
        {
            assert_eq!(chosen(accept), Some("json"), "{accept:?}");
        }
    }

    #[test]
    fn weights_decide_and_then_the_servers_order() {
        for (accept, expected) in [
            ("application/x.v1+json, application/x.v1+html;q=0.2, text/html;q=0.01", "json"),
            ("application/x.v1+json;q=0.1, application/x.v1+html;q=0.2", "html"),
            ("text/html", "text"),
            ("TEXT/HTML;level=1", "text"),
            ("text/html, application/xhtml+xml, */*;q=0.8", "text"),
            ("application/*", "json"),
            ("*/*;q=0.5, application/x.v1+json;q=0.1, application/x.v1+html;q=0", "text"),
            ("application/x.latest+json", "json"),
            ("text/html;q=0.5, application/x.latest+json;q=0.4", "text"),
        ] {
            assert_eq!(chosen(Some(accept)), Some(expected), "{accept}");
        }
    }

    #[test]
    fn what_is_liked_by_nobody_is_not_sent() {
        for accept in [
            "application/json",
            "image/*",
            "*/*;q=0",
            "text/html;q=0.0",
            "text/html;q=7",
            "text/html;q=",
        ] {
            assert_eq!(chosen(Some(accept)), None, "{accept}");
        }
    }

    #[test]
    fn a_query_may_name_the_media_type() {
        let latest = ["application/x.latest+json".to_owned()];
        let offers = [
            Offer { media_type: "application/x.v1+json", also: &latest },
            Offer { media_type: "text/html; charset=utf-8", also: &[] },
        ];
        for (query, expected) in [
            ("format=application/x.v1+json", Some(0)),
            ("a=b&format=application%2fx.latest%2bjson&c", Some(0)),
            ("format=Text/HTML", Some(1)),
            ("format=*/*", None),
            ("format=", None),
            ("format=%ff", None),
        ] {
            let place = asked(query).and_then(|asked| named(&asked, &offers));
            assert_eq!(place, expected, "{query}");
        }
        assert_eq!((asked("format"), asked(""), asked("xformat=a")), (None, None, None));
    }

    #[test]
    fn an_encoding_is_sent_to_whoever_takes_it() {
        for (accept, expected) in [
            (Some("gzip"), true),
            (Some("deflate, GZIP;q=0.5"), true),
            (Some("*"), true),
            (Some("br, *;q=0.1"), true),
            (Some("gzip;q=0, *"), false),
            (Some("*;q=0"), false),
            (Some("identity"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
            }
            assert_eq!(takes(&headers, "gzip"), expected, "{accept:?}");
            assert!(!takes(&headers, ""));
        }
    }

    #[test]
    fn a_request_of_many_ranges_is_read_as_far_as_it_goes() {
        let many = "a/b,".repeat(100_000) + "text/html";
        assert_eq!(chosen(Some(&many)), None);
    }
}
