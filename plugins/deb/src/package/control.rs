//! From a `.deb` to the text of its `control`.

use std::io::{self, BufRead, BufReader, Read};

use super::ar::{self, ArError};
use crate::names;
use crate::unpack::Compression;

/// What a control archive may unpack to: maintainer scripts, lists of digests, templates.
const MAX_UNPACKED: u64 = 64 << 20;
/// The longest `control`.
const MAX_CONTROL: u64 = 256 << 10;
/// Members before the control archive, at most.
const MAX_MEMBERS: usize = 8;

/// Why a file is no package.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The outer archive is none.
    #[error(transparent)]
    Archive(#[from] ArError),
    /// It is an archive, and no package of format 2.
    #[error("its first member is not `debian-binary` of format 2")]
    Format,
    /// There is no control archive where it belongs.
    #[error("it has no `control.tar` behind `debian-binary`")]
    NoControlArchive,
    /// The control archive is compressed in a way that is not read.
    #[error("its {0:?} is compressed in a way that is not read; gz, xz, zst or none are")]
    Compression(String),
    /// The control archive cannot be read.
    #[error("its control archive cannot be read: {0}")]
    Unpack(#[from] io::Error),
    /// The control archive has no control file.
    #[error("its control archive has no regular file `control`")]
    NoControl,
    /// The control file is too long.
    #[error("its `control` is longer than {MAX_CONTROL} bytes")]
    Long,
}

/// Reads the text of a package's `control`.
///
/// # Errors
/// Why it is no package.
pub fn read(mut input: impl BufRead) -> Result<Vec<u8>, PackageError> {
    ar::begin(&mut input)?;
    check_format(&mut input)?;
    for _member in 0..MAX_MEMBERS {
        let member = ar::next(&mut input)?.ok_or(PackageError::NoControlArchive)?;
        if let Some(rest) = member.name.strip_prefix("control.tar") {
            let known = Compression::ALL.into_iter().find(|it| it.suffix() == rest);
            let compression =
                known.ok_or_else(|| PackageError::Compression(names::shown(&member.name)))?;
            let packed = BufReader::new(input.take(member.size));
            return control(compression.open(packed, MAX_UNPACKED)?);
        }
        // What begins with an underscore may stand in front, and is of no concern.
        if !member.name.starts_with('_') {
            return Err(PackageError::NoControlArchive);
        }
        ar::skip(&mut input, member.size)?;
    }
    Err(PackageError::NoControlArchive)
}

fn check_format(input: &mut impl BufRead) -> Result<(), PackageError> {
    let member = ar::next(input)?.ok_or(PackageError::Format)?;
    if member.name != "debian-binary" || !(3..=64).contains(&member.size) {
        return Err(PackageError::Format);
    }
    let mut format = Vec::new();
    (&mut *input).take(member.size).read_to_end(&mut format).map_err(ArError::from)?;
    ar::skip(input, member.size % 2).map_err(PackageError::Archive)?;
    if format.starts_with(b"2.") { Ok(()) } else { Err(PackageError::Format) }
}

/// The file `control` in the inner archive.
fn control(unpacked: impl Read) -> Result<Vec<u8>, PackageError> {
    let mut archive = tar::Archive::new(unpacked);
    for entry in archive.entries()? {
        let entry = entry?;
        let path = entry.path_bytes();
        let named = path.strip_prefix(b"./").unwrap_or(&path) == b"control";
        if !named || !entry.header().entry_type().is_file() {
            continue;
        }
        let mut text = Vec::new();
        entry.take(MAX_CONTROL + 1).read_to_end(&mut text)?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_CONTROL {
            return Err(PackageError::Long);
        }
        return Ok(text);
    }
    Err(PackageError::NoControl)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const CONTROL: &[u8] = b"Package: a\nVersion: 1\n";

    fn member(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut member =
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, bytes.len());
        member.truncate(60);
        let mut member = member.into_bytes();
        member.extend_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            member.push(b'\n');
        }
        member
    }

    fn tarred(path: &str, kind: tar::EntryType, bytes: &[u8]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        archive.append_data(&mut header, path, bytes).unwrap();
        archive.into_inner().unwrap()
    }

    fn deb(members: &[(&str, &[u8])]) -> Vec<u8> {
        let members = members.iter().flat_map(|(name, bytes)| member(name, bytes));
        b"!<arch>\n".iter().copied().chain(members).collect()
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_control_file_is_found_in_every_compression() {
        let inner = tarred("./control", tar::EntryType::Regular, CONTROL);
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&inner).unwrap();
        let zst = zstd::encode_all(&*inner, 1).unwrap();
        for (name, bytes) in [
            ("control.tar", inner.clone()),
            ("control.tar.gz/", gz(&inner)),
            ("control.tar.xz", xz.finish().unwrap()),
            ("control.tar.zst", zst),
        ] {
            let deb = deb(&[("debian-binary", b"2.0\n"), ("_note", b"odd"), (name, &bytes)]);
            assert_eq!(read(&*deb).unwrap(), CONTROL, "{name}");
        }
    }

    // F117
    #[test]
    fn what_is_no_package_is_refused() {
        use PackageError as E;
        let control = gz(&tarred("control", tar::EntryType::Regular, CONTROL));
        let format: (&str, &[u8]) = ("debian-binary", b"2.0\n");
        let good: (&str, &[u8]) = ("control.tar.gz", &control);
        assert!(matches!(read(&b"no archive"[..]), Err(E::Archive(ArError::Magic))));
        assert!(matches!(read(&*deb(&[good])), Err(E::Format)));
        assert!(matches!(read(&*deb(&[("debian-binary", b"3.0\n"), good])), Err(E::Format)));
        assert!(matches!(read(&*deb(&[format])), Err(E::NoControlArchive)));
        assert!(matches!(
            read(&*deb(&[format, ("data.tar", b""), good])),
            Err(E::NoControlArchive)
        ));
        assert!(matches!(read(&*deb(&[format, ("control.tar.lz", b"")])), Err(E::Compression(_))));
        let link = tarred("control", tar::EntryType::Symlink, b"");
        assert!(matches!(read(&*deb(&[format, ("control.tar", &link)])), Err(E::NoControl)));
        let huge = tarred("control", tar::EntryType::Regular, &vec![b'a'; 300 << 10]);
        assert!(matches!(read(&*deb(&[format, ("control.tar.gz", &gz(&huge))])), Err(E::Long)));
        let mut cut = deb(&[format, good]);
        cut.truncate(150);
        assert!(matches!(read(&*cut), Err(E::Unpack(_))));
    }

    // F102
    #[test]
    fn a_control_archive_that_unpacks_without_end_is_cut() {
        let inner = tarred("other", tar::EntryType::Regular, &vec![0; 65 << 20]);
        let deb = deb(&[("debian-binary", b"2.0\n"), ("control.tar.gz", &gz(&inner))]);
        let Err(PackageError::Unpack(error)) = read(&*deb) else { panic!("it was read") };
        assert!(error.to_string().contains("unpacks to more"), "{error}");
    }
}
