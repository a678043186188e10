//! Whether a text is a point in time as loggers write it: RFC 3339 with 0 to 9 digits of a second.
//!
//! Go's host demands exactly six digits; loggers that write others are no worse. Nothing is
//! computed: the text itself is passed on.

/// `2006-01-02T15:04:05`, `-` or a sign standing for what must be there, `0` for a digit.
const SHAPE: &[u8] = b"0000-00-00T00:00:00";

pub(super) fn is_valid(text: &str) -> bool {
    let Some((start, rest)) = text.as_bytes().split_at_checked(SHAPE.len()) else { return false };
    let Some(rest) = after_fraction(rest) else { return false };
    let [year @ .., _, m1, m0, _, d1, d0, _, h1, h0, _, n1, n0, _, s1, s0] = start else {
        return false;
    };
    fits(start, SHAPE)
        && year.len() == 4
        && (1..=12).contains(&number(*m1, *m0))
        && (1..=31).contains(&number(*d1, *d0))
        && number(*h1, *h0) < 24
        && number(*n1, *n0) < 60
        && number(*s1, *s0) <= 60
        && is_zone(rest)
}

/// What follows the point and its digits; `None` if there are too many, or none after a point.
fn after_fraction(text: &[u8]) -> Option<&[u8]> {
    let Some(digits) = text.strip_prefix(b".") else { return Some(text) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=9).contains(&count) { digits.get(count..) } else { None }
}

fn is_zone(text: &[u8]) -> bool {
    match text {
        b"Z" => true,
        [b'+' | b'-', h1, h0, b':', m1, m0] => {
            fits(text.get(1..).unwrap_or_default(), b"00:00")
                && number(*h1, *h0) < 24
                && number(*m1, *m0) < 60
        }
        _ => false,
    }
}

fn fits(text: &[u8], shape: &[u8]) -> bool {
    text.len() == shape.len()
        && text.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            sign => byte == sign,
        })
}

/// Of two digits; something large if they are none.
fn number(tens: u8, ones: u8) -> u8 {
    let digit = |byte: u8| byte.wrapping_sub(b'0');
    digit(tens).saturating_mul(10).saturating_add(digit(ones))
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    // H92
    #[test]
    fn any_precision_and_zone_is_a_time() {
        for text in [
            "2024-01-02T03:04:05Z",
            "2024-01-02T03:04:05.1Z",
            "2024-12-31T23:59:60.123456789+14:00",
            "2024-01-02T03:04:05.000006-00:30",
        ] {
            assert!(is_valid(text), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "2024-01-02",
            "2024-01-02 03:04:05Z",
            "2024-01-02T03:04:05",
            "2024-01-02T03:04:05.Z",
            "2024-01-02T03:04:05.1234567890Z",
            "2024-13-02T03:04:05Z",
            "2024-00-02T03:04:05Z",
            "2024-01-32T03:04:05Z",
            "2024-01-02T24:04:05Z",
            "2024-01-02T03:04:05+0200",
            "2024-01-02T03:04:05+2:00",
            "x024-01-02T03:04:05Z",
            "2024-01-02T03:04:05Zé",
        ] {
            assert!(!is_valid(text), "{text}");
        }
    }
}
