//! What the bytes must have, and whether they do.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use wharf_store::model::Digest;

use super::{Config, Error, Request, trust};

/// Size, limit and digests of one request, checked and ready to compare with.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) size: Option<u64>,
    pub(super) limit: u64,
    digests: Vec<(Kind, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Can be forged; counts only where the attachment allows it and nothing better is announced (F104).
    Md5,
    /// As MD5.
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Kind {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            "sha1" => Some(Self::Sha1),
            "md5" => Some(Self::Md5),
            _ => None,
        }
    }

    const fn is_weak(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

impl Expected {
    /// Reads a request's size and digests.
    ///
    /// # Errors
    /// `BadDigest`, `WeakDigest` (F104), `TooLarge` when already the announced size is.
    pub(super) fn of(request: &Request, config: &Config) -> Result<Self, Error> {
        let limit = request.max_bytes.map_or(config.max_bytes, |own| own.min(config.max_bytes));
        let weak = request.is_vouched_for_weakly();
        let mut digests = Vec::with_capacity(request.digests.len());
        for text in &request.digests {
            digests.extend(parse(text, weak)?);
        }
        let url = || {
            request
                .sources
                .first()
                .map_or_else(String::new, |source| trust::shown_text(&source.url))
        };
        if digests.is_empty() && !request.digests.is_empty() {
            let kinds: Vec<&str> =
                request.digests.iter().map(|text| text.split(':').next().unwrap_or(text)).collect();
            return Err(Error::WeakDigest { url: url(), found: kinds.join(", ") });
        }
        if request.size.is_some_and(|size| size > limit) {
            return Err(Error::TooLarge { url: url(), limit });
        }
        Ok(Self { size: request.size, limit, digests })
    }

    /// Whether damaged bytes would be noticed.
    pub(super) fn is_vouched_for(&self) -> bool {
        !self.digests.is_empty()
    }

    /// Sums that take in what these digests need.
    pub(super) fn sums(&self) -> Sums {
        let wants = |kind| self.digests.iter().any(|(own, _)| *own == kind);
        Sums {
            sha256: Sha256::new(),
            md5: wants(Kind::Md5).then(|| Box::new(Md5::new())),
            sha1: wants(Kind::Sha1).then(|| Box::new(Sha1::new())),
            sha384: wants(Kind::Sha384).then(|| Box::new(Sha384::new())),
            sha512: wants(Kind::Sha512).then(|| Box::new(Sha512::new())),
        }
    }

    /// Whether that many bytes may come.
    ///
    /// # Errors
    /// `TooLarge`, `Size`.
    pub(super) fn admit(&self, url: &str, announced: u64) -> Result<(), Error> {
        match self.size {
            Some(expected) if expected != announced => {
                Err(Error::Size { url: url.to_owned(), expected, found: announced, more: false })
            }
            _ if announced > self.limit => {
                Err(Error::TooLarge { url: url.to_owned(), limit: self.limit })
            }
            _ => Ok(()),
        }
    }

    /// Whether that many bytes may have come so far (F102).
    ///
    /// # Errors
    /// `TooLarge`, `Size`.
    pub(super) fn admit_so_far(&self, url: &str, got: u64) -> Result<(), Error> {
        match self.size {
            Some(expected) if got > expected => {
                Err(Error::Size { url: url.to_owned(), expected, found: got, more: true })
            }
            _ if got > self.limit => {
                Err(Error::TooLarge { url: url.to_owned(), limit: self.limit })
            }
            _ => Ok(()),
        }
    }

    /// Compares the whole body with what was announced, and gives its SHA-256.
    ///
    /// # Errors
    /// `Size`, `Digest` (F101).
    pub(super) fn verify(&self, url: &str, sums: Sums, bytes: u64) -> Result<Digest, Error> {
        if let Some(expected) = self.size.filter(|size| *size != bytes) {
            return Err(Error::Size { url: url.to_owned(), expected, found: bytes, more: false });
        }
        let sha256 = Digest(sums.sha256.finalize().into());
        let md5 = sums.md5.map(|sum| sum.finalize());
        let sha1 = sums.sha1.map(|sum| sum.finalize());
        let sha384 = sums.sha384.map(|sum| sum.finalize());
        let sha512 = sums.sha512.map(|sum| sum.finalize());
        for (kind, expected) in &self.digests {
            let found = match kind {
                Kind::Md5 => md5.as_ref().map(AsRef::as_ref),
                Kind::Sha1 => sha1.as_ref().map(AsRef::as_ref),
                Kind::Sha256 => Some(sha256.0.as_slice()),
                Kind::Sha384 => sha384.as_ref().map(AsRef::as_ref),
                Kind::Sha512 => sha512.as_ref().map(AsRef::as_ref),
            };
            if found != Some(expected.as_slice()) {
                return Err(Error::Digest {
                    url: url.to_owned(),
                    expected: text(*kind, expected),
                    found: text(*kind, found.unwrap_or_default()),
                    bytes,
                });
            }
        }
        Ok(sha256)
    }
}

/// Running digests of a body.
#[derive(Debug)]
pub(super) struct Sums {
    sha256: Sha256,
    md5: Option<Box<Md5>>,
    sha1: Option<Box<Sha1>>,
    sha384: Option<Box<Sha384>>,
    sha512: Option<Box<Sha512>>,
}

impl Sums {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(sum) = &mut self.md5 {
            sum.update(bytes);
        }
        if let Some(sum) = &mut self.sha1 {
            sum.update(bytes);
        }
        if let Some(sum) = &mut self.sha384 {
            sum.update(bytes);
        }
        if let Some(sum) = &mut self.sha512 {
            sum.update(bytes);
        }
    }
}

/// Whether none of these is a digest that cannot be forged.
pub(super) fn are_weak(digests: &[String]) -> bool {
    let strong = |text: &String| {
        let name = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
        Kind::from_name(&name).is_some_and(|kind| !kind.is_weak())
    };
    !digests.is_empty() && !digests.iter().any(strong)
}

/// `None`: a kind that is not checked.
fn parse(digest: &str, weak: bool) -> Result<Option<(Kind, Vec<u8>)>, Error> {
    let bad = |reason| Error::BadDigest { digest: digest.chars().take(200).collect(), reason };
    let (name, hex) = digest.split_once(':').ok_or_else(|| bad("it has no kind, like sha256:"))?;
    let kind = Kind::from_name(&name.to_ascii_lowercase());
    let Some(kind) = kind.filter(|kind| weak || !kind.is_weak()) else { return Ok(None) };
    if hex.len() != kind.length() * 2 {
        return Err(bad("it has the wrong length for its kind"));
    }
    let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
    bytes
        .map(|bytes| Some((kind, bytes)))
        .ok_or_else(|| bad("it holds something else than hex digits"))
}

fn byte(pair: &[u8]) -> Option<u8> {
    let digit = |place: usize| char::from(*pair.get(place)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn text(kind: Kind, bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = format!("{}:", kind.name());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Trust;
    use super::*;

    /// Of "abc". Source: FIPS 180-4 examples.
    const SHA256: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const SHA512: &str = "SHA512:DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F";

    const MD5: &str = "md5:900150983cd24fb0d6963f7d28e17f72";
    const SHA1: &str = "sha1:a9993e364706816aba3e25717850c26c9cd0d89d";

    fn check(digests: &[&str], body: &[u8]) -> Result<Digest, Error> {
        check_by(Trust::public(), digests, body)
    }

    fn check_by(trust: Trust, digests: &[&str], body: &[u8]) -> Result<Digest, Error> {
        let request = Request {
            digests: digests.iter().map(|&text| text.to_owned()).collect(),
            trust: Arc::new(trust),
            ..Request::default()
        };
        let expected = Expected::of(&request, &Config::default())?;
        let mut sums = expected.sums();
        sums.update(body);
        expected.verify("u", sums, body.len() as u64)
    }

    #[test]
    fn strong_digests_are_compared_and_weak_ones_beside_them_ignored() {
        assert!(check(&[SHA256, SHA512, "md5:00"], b"abc").is_ok());
        assert!(check(&[], b"abc").is_ok());
        assert!(matches!(check(&[SHA512], b"abd"), Err(Error::Digest { .. })));
        assert!(matches!(check(&[SHA512, SHA256], b"abd"), Err(Error::Digest { .. })));
    }

    // F104
    #[test]
    fn weak_digests_that_are_allowed_are_compared_and_never_replace_a_strong_one() {
        let lax = || Trust::public().weak_digests();
        for digest in [MD5, SHA1] {
            assert!(check_by(lax(), &[digest], b"abc").is_ok(), "{digest}");
            let error = check_by(lax(), &[digest], b"abd").unwrap_err();
            assert_eq!(error.code(), "integrity.digest", "{digest}");
        }
        assert!(check_by(lax(), &[MD5, SHA1], b"abc").is_ok());
        assert!(matches!(check_by(lax(), &["md5:00"], b"abc"), Err(Error::BadDigest { .. })));
        assert!(matches!(check_by(lax(), &["crc32:00"], b"abc"), Err(Error::WeakDigest { .. })));
        assert!(check_by(lax(), &[SHA256, "md5:00"], b"abc").is_ok());
    }

    #[test]
    fn weak_digests_alone_are_refused() {
        // F104
        let error =
            check(&["md5:900150983cd24fb0d6963f7d28e17f72", "sha1:00"], b"abc").unwrap_err();
        assert_eq!(error.code(), "policy.digest");
        assert!(error.to_string().contains("md5, sha1"));
    }

    #[test]
    fn malformed_digests_are_content_errors() {
        for text in ["sha256:", "sha256:zz", "abc", &SHA256.replace('b', "g")] {
            assert_eq!(check(&[text], b"abc").unwrap_err().code(), "content.digest", "{text}");
        }
    }
}
