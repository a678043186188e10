//! Compressed bytes, read as a stream that never gives more than was allowed.
//!
//! Indexes and packages come as they are, or as gzip, xz or zstd. Whatever they claim, what they unpack to is cut at a
//! limit, and so is the memory that they make a decoder take.

use std::io::{self, BufRead, Read};

/// What a decoder of xz may take: `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;
/// The window of zstd, as a power of two: what its own decoder takes by default.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gz,
    /// xz.
    Xz,
    /// zstd.
    Zst,
}

impl Compression {
    /// All that are read.
    pub const ALL: [Self; 4] = [Self::None, Self::Gz, Self::Xz, Self::Zst];

    /// What a file's name ends in: nothing, or a point and letters.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gz => ".gz",
            Self::Xz => ".xz",
            Self::Zst => ".zst",
        }
    }

    /// Reads what `input` unpacks to; more than `limit` bytes are an error.
    ///
    /// # Errors
    /// When a decoder cannot be made.
    pub fn open<'a>(self, input: impl BufRead + 'a, limit: u64) -> io::Result<Unpacked<'a>> {
        let inner: Box<dyn Read + 'a> = match self {
            Self::None => Box::new(input),
            Self::Gz => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
            Self::Xz => Box::new(liblzma::bufread::XzDecoder::new_stream(
                input,
                liblzma::stream::Stream::new_stream_decoder(
                    XZ_MEMORY,
                    liblzma::stream::CONCATENATED,
                )
                .map_err(io::Error::other)?,
            )),
            Self::Zst => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        };
        Ok(Unpacked { inner, limit, left: limit })
    }
}

/// What compressed bytes unpack to.
pub struct Unpacked<'a> {
    inner: Box<dyn Read + 'a>,
    limit: u64,
    left: u64,
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            let limit = self.limit;
            io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it unpacks to more than {limit} bytes"),
            )
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(compression: Compression, bytes: &[u8]) -> Vec<u8> {
        match compression {
            Compression::None => bytes.to_vec(),
            Compression::Gz => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Zst => zstd::encode_all(bytes, 1).unwrap(),
        }
    }

    fn unpack(compression: Compression, bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        compression.open(bytes, limit)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn every_compression_is_read() {
        for compression in Compression::ALL {
            let bytes = packed(compression, b"hello");
            assert_eq!(unpack(compression, &bytes, 5).unwrap(), b"hello", "{compression:?}");
        }
    }

    #[test]
    fn streams_behind_each_other_are_one() {
        for compression in Compression::ALL {
            let bytes = [packed(compression, b"a"), packed(compression, b"b")].concat();
            assert_eq!(unpack(compression, &bytes, 9).unwrap(), b"ab", "{compression:?}");
        }
    }

    // F102
    #[test]
    fn what_unpacks_to_more_than_was_said_is_cut() {
        for compression in Compression::ALL {
            let bomb = packed(compression, &vec![0; 4 << 20]);
            let error = unpack(compression, &bomb, 1 << 20).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{compression:?}");
        }
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        for compression in [Compression::Gz, Compression::Xz, Compression::Zst] {
            let bytes = packed(compression, &[7; 1000]);
            let half = &bytes[..bytes.len() / 2];
            assert!(unpack(compression, half, 1000).is_err(), "{compression:?}");
        }
    }
}
