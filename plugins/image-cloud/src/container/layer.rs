//! The one layer of an image: the base image's root file system as a tar archive, compressed on the way, its two digests
//! taken as it passes.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::PathBuf;

use crate::Error;
use crate::pack::{Digest, Sum, gzip};
use crate::tree::{self, Copied, Limits, Rules, Watch};

/// Bytes that are gathered before they are hashed and compressed.
const BUFFER: usize = 256 << 10;
/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// Not at all.
    None,
    /// By several threads, with this level.
    Gzip(u32),
    /// By one thread, which is faster than gzip by several.
    Zstd,
}

/// What a layer is made of.
pub(super) struct Recipe {
    pub(super) tree: PathBuf,
    pub(super) excludes: Vec<String>,
    pub(super) compression: Compression,
    pub(super) threads: usize,
    /// Bytes that the tree may unpack to.
    pub(super) most: u64,
    /// No file is younger than this, in seconds since 1970.
    pub(super) newest: Option<u64>,
}

/// A layer that was written.
pub(super) struct Layer {
    /// Of the plain archive.
    pub(super) diff_id: Digest,
    /// Of what was written.
    pub(super) digest: Digest,
    /// Bytes that were written.
    pub(super) size: u64,
    pub(super) copied: Copied,
}

impl Recipe {
    /// Bytes of the compressed tree.
    pub(super) fn tree_bytes(&self) -> Result<u64, Error> {
        let facts = self.tree.metadata().map_err(Error::io(format!("reading {}", tree::FILE)))?;
        Ok(facts.len())
    }

    /// Writes the layer where the file stands.
    pub(super) fn write(&self, file: &File, watch: &Watch) -> Result<Layer, Error> {
        let output = Sum::new(BufWriter::with_capacity(BUFFER, file));
        let (mut output, (copied, diff_id)) = match self.compression {
            Compression::None => {
                let mut output = output;
                let plain = self.plain(&mut output, watch)?;
                (output, plain)
            }
            Compression::Gzip(level) => {
                gzip(output, level, self.threads, |blocks| self.plain(blocks, watch))?
            }
            Compression::Zstd => {
                let failed = || Error::io("compressing the layer");
                let mut encoder = zstd::Encoder::new(output, ZSTD_LEVEL).map_err(failed())?;
                let plain = self.plain(&mut encoder, watch)?;
                (encoder.finish().map_err(failed())?, plain)
            }
        };
        output.flush().map_err(Error::io("writing the layer"))?;
        let (_output, digest, size) = output.finish();
        Ok(Layer { diff_id, digest, size, copied })
    }

    fn plain(&self, output: impl Write, watch: &Watch) -> Result<(Copied, Digest), Error> {
        let input = File::open(&self.tree).map_err(Error::io(format!("reading {}", tree::FILE)))?;
        let rules = Rules::new(&self.excludes)?;
        let limits = Limits { unpacked: self.most, members: tree::MEMBERS, newest: self.newest };
        let mut sum = BufWriter::with_capacity(BUFFER, Sum::new(output));
        let copied = tree::copy(input, &mut sum, rules, limits, watch)?;
        let sum = sum.into_inner().map_err(IntoInnerError::into_error);
        let (_output, diff_id, _size) = sum.map_err(Error::io("writing the layer"))?.finish();
        Ok((copied, diff_id))
    }
}
