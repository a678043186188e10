//! What the fuzz targets in `tests/fuzz` feed, and the replay of their corpora. No part of the interface: it may change
//! at any time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::imports::format;
use crate::publish::folder::names;
use crate::schedules::Rule;

/// A rule of a schedule, after a moment given in seconds since 1970, in a zone whose clocks change.
///
/// # Errors
/// Which promise was broken.
pub fn schedule_rule(text: &str, after_s: i64) -> Result<(), String> {
    let broken = |what: &str| Err(format!("{what}: {text:?} after {after_s}"));
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC);
    let Ok(now) = Timestamp::from_second(after_s.rem_euclid(8_000_000_000)) else { return Ok(()) };
    for rule in [Rule::every(text, &zone), Rule::cron(text)].into_iter().flatten() {
        if Rule::stored(text.trim(), &zone).is_err() {
            return broken("what can be made cannot be read back");
        }
        let start = rule.start.unwrap_or(Timestamp::UNIX_EPOCH);
        match rule.next(start, now, &zone) {
            Some(due) if due <= now => return broken("the next time is not ahead"),
            Some(due) if due < start => return broken("the next time is before the start"),
            _ => {}
        }
    }
    Ok(())
}

/// A file that is to become an image: its first and last bytes.
///
/// # Errors
/// Which promise was broken.
pub fn image_format(file: &[u8]) -> Result<(), String> {
    let head = file.get(..format::HEAD).unwrap_or(file);
    let tail = file.get(file.len().saturating_sub(format::TAIL)..).unwrap_or(file);
    let size = file.len() as u64;
    match format::recognise(head, tail, size) {
        Some(found) if found.ending.is_empty() => Err(format!("{} has no ending", found.name)),
        Some(found) if found.name == "raw" && found.virtual_size != Some(size) => {
            Err(format!("a raw disk of {size} bytes has {:?}", found.virtual_size))
        }
        _ => Ok(()),
    }
}

/// The name of a repository's file in a user's folder: safe for every file system, and itself when it is looked at again.
///
/// # Errors
/// Which promise was broken.
pub fn folder_name(path: &str) -> Result<(), String> {
    let is_path = path.parse::<wharf_store::model::RelativePath>().is_ok();
    let local = match names::safe(path) {
        Ok(local) => local,
        Err(error) if is_path => return Err(format!("{path:?} has no name: {error}")),
        Err(_error) => return Ok(()),
    };
    let again = names::safe(local.as_str());
    if again.as_ref() != Ok(&local) {
        return Err(format!("{path:?} becomes {local:?}, and that {again:?}"));
    }
    let bad = |part: &str| {
        part.ends_with(['.', ' ']) || part.contains([':', '*', '?', '"', '<', '>', '|'])
    };
    match local.as_str().split('/').find(|part| bad(part) || part.len() > 255) {
        Some(part) => Err(format!("{path:?} has the part {part:?}")),
        None => Ok(()),
    }
}
