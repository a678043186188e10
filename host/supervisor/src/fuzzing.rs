//! What the fuzz targets in `tests/fuzz` feed, and the replay of their corpora. No part of the
//! interface: it may change at any time.
//!
//! Each function reads bytes from outside as the crate itself does, and says which promise was
//! broken, if one was.

use std::path::Path;

use tracing::Level;

use crate::catalog::Manifest;
use crate::catalog::info::Info;
use crate::launch::guardian::frames::{FRAME_BYTES, Report};
use crate::launch::guardian::grant::{GRANT_BYTES, Head};
use crate::launch::output::{Entry, Lines, Logging, Logs, Source, announced, parse};
use crate::text::printable;

/// Standard error of a plugin: each line on its own, and all as a stream.
///
/// # Errors
/// What is wrong.
pub fn log_line(bytes: &[u8]) -> Result<(), String> {
    let warnings = |level| level <= Level::WARN;
    let mut panicking = false;
    for line in bytes.split(|&byte| byte == b'\n') {
        let mut filtering = panicking;
        let entry = parse(line, &mut panicking, |_| true).ok_or("a wanted line was dropped")?;
        is_safe(&entry)?;
        let filtered = parse(line, &mut filtering, warnings);
        let early = announced(&String::from_utf8_lossy(line)).is_some_and(|level| !warnings(level));
        let expected = Some(entry).filter(|entry| warnings(entry.level) && !early);
        if filtered != expected || (panicking != filtering && !early) {
            return Err(format!("the level filter turns {expected:?} into {filtered:?}"));
        }
    }
    let logs = Logs::new("p".to_owned(), 1, &Logging::default());
    let mut lines = Lines::new(Source::Stderr);
    for piece in bytes.chunks(7) {
        lines.push(piece, &logs);
    }
    lines.finish(&logs);
    let written = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count();
    if bytes.len() < 64 << 10 && logs.tail().len() < written.min(20) {
        return Err(format!("{written} lines, and a tail of {}", logs.tail().len()));
    }
    Ok(())
}

/// What a guardian tells its host, and what a host gives a plugin: what can be read says the same
/// when it is written again.
///
/// # Errors
/// What is wrong.
pub fn guardian_frames(bytes: &[u8]) -> Result<(), String> {
    let (frames, _rest) = bytes.as_chunks::<FRAME_BYTES>();
    for report in frames.iter().filter_map(|&frame| Report::decode(frame)) {
        if Report::decode(report.encode()) != Some(report) {
            return Err(format!("{report:?} does not survive"));
        }
    }
    let (grants, _rest) = bytes.as_chunks::<GRANT_BYTES>();
    for &bytes in grants {
        if Head::decode(bytes).is_some_and(|head| head.encode() != bytes) {
            return Err(format!("{bytes:?} does not survive"));
        }
    }
    Ok(())
}

/// Image Factory's metadata of a plugin: what is read stands for a manifest of the same targets, and what is wrong has a
/// place.
///
/// # Errors
/// What is wrong.
pub fn imagefactory_info(bytes: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    match Info::read(text) {
        Err(faults) if faults.is_empty() => Err("it is refused without a word".to_owned()),
        Err(faults) => {
            match faults.iter().find(|it| it.place.is_empty() || it.problem.is_empty()) {
                Some(fault) => Err(format!("{fault:?} says nothing")),
                None => Ok(()),
            }
        }
        Ok(info) => {
            let (manifest, text) =
                info.manifest(Path::new("Name.info")).map_err(|error| error.to_string())?;
            let (again, _) = Manifest::parse(Path::new("plugin.json"), &text)
                .map_err(|error| error.to_string())?;
            let targets = manifest.components.iter().map(|component| component.targets.len());
            let same = again == manifest && targets.into_iter().all(|it| it == info.targets.len());
            if same { Ok(()) } else { Err(format!("{info:?} becomes {manifest:?}")) }
        }
    }
}

fn is_safe(entry: &Entry) -> Result<(), String> {
    let fields = entry.fields.iter();
    let texts = fields.flat_map(|(key, value)| [Some(key.as_str()), value.as_str()]).flatten();
    let harmful = texts.chain([entry.text.as_str()]).find(|text| printable(text) != **text);
    harmful.map_or(Ok(()), |text| Err(format!("not neutralised: {text:?}")))
}
