//! The records of a pax header: `LENGTH KEY=VALUE\n`. Values are bytes and may hold line feeds, as the extended
//! attribute of a file's capabilities does, so records are cut by their length and never by line.

/// What a record says about the member behind it.
pub(super) type Record<'a> = (&'a [u8], &'a [u8]);

/// All records, in order.
///
/// # Errors
/// What is wrong with the first that is none.
pub(super) fn records(mut bytes: &[u8]) -> Result<Vec<Record<'_>>, &'static str> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) = first(bytes).ok_or("a pax record is broken")?;
        found.push(record);
        bytes = rest;
    }
    Ok(found)
}

fn first(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let text = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let (key, value) = text.split_at_checked(equals)?;
    Some(((key, value.get(1..)?), rest))
}

/// A number of a record.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_line_feeds_and_equal_signs() {
        let bytes = b"9 a=b\n=\n\n12 path=x/y\n";
        let found = records(bytes).unwrap();
        assert_eq!(found, [(&b"a"[..], &b"b\n=\n"[..]), (&b"path"[..], &b"x/y"[..])]);
    }

    #[test]
    fn broken_records_are_refused() {
        let broken: [&[u8]; 7] = [
            b"5 a=b\n",
            b"7 a=b\n",
            b"x a=b\n",
            b"6 a:b\n",
            b"0 ",
            b"3 \n",
            b"99999999999999999999 a=b\n",
        ];
        for bytes in broken {
            assert!(records(bytes).is_err(), "{bytes:?}");
        }
    }
}
