//! The secret that a request shows. Source: RFC 7617 (Basic), RFC 6750 (Bearer).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The longest header that is looked at.
const MAX_HEADER: usize = 1024;

/// The password of Basic, whoever the user is, or the token of Bearer.
pub(super) fn secret(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (all.next(), all.next()) else { return None };
    let text = header.to_str().ok().filter(|text| text.len() <= MAX_HEADER)?;
    let (scheme, rest) = text.split_once(' ')?;
    let rest = rest.trim();
    let secret = if scheme.eq_ignore_ascii_case("bearer") {
        rest.to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let plain = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        plain.split_once(':')?.1.to_owned()
    } else {
        return None;
    };
    Some(secret).filter(|secret| !secret.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header.parse().unwrap());
        secret(&headers)
    }

    #[test]
    fn the_secret_is_a_password_or_a_bearer_token() {
        assert_eq!(of("Basic X190b2tlbl9fOnNlY3JldA=="), Some("secret".to_owned()));
        assert_eq!(of("basic OmE6Yg=="), Some("a:b".to_owned()));
        assert_eq!(of("Bearer secret"), Some("secret".to_owned()));
        for bad in ["Bearer ", "Basic", "Basic !", "Basic c2VjcmV0", "Digest a", "Basic YTo="] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(secret(&HeaderMap::new()), None);
    }
}
