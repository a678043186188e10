//! The header of a qcow2 file, read before a tool is let near it: how large its disk is, and whether it would make the
//! tool open other files. Reads nothing but the bytes that it is given. Format: QEMU's `docs/interop/qcow2.txt`.

use crate::Error;

/// Bytes of a header that are looked at.
pub const HEADER_BYTES: usize = 104;
/// What the file is called in a base image.
pub const FILE: &str = "disk.qcow2";

const MAGIC: &[u8; 4] = b"QFI\xfb";
/// Incompatible features of version 3, by bit.
const CORRUPT: u64 = 1 << 1;
const EXTERNAL_DATA: u64 = 1 << 2;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The disk's size in bytes, as its guest sees it.
    pub virtual_size: u64,
}

impl Header {
    /// Reads the first bytes of a file that has `file_bytes` of them.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is no whole qcow2 file of its own, [`Error::Unsafe`] when it points at other files.
    pub fn read(bytes: &[u8], file_bytes: u64) -> Result<Self, Error> {
        if bytes.get(..4) != Some(MAGIC) {
            return Err(malformed("it is no qcow2 file"));
        }
        let version = u32_at(bytes, 4)?;
        let features = match version {
            2 => 0,
            3 => u64_at(bytes, 72)?,
            _ => return Err(malformed(&format!("its version is {version}, not 2 or 3"))),
        };
        if u64_at(bytes, 8)? != 0 || u32_at(bytes, 16)? != 0 {
            return Err(harmful("it is laid over another file (a backing file)"));
        }
        if features & EXTERNAL_DATA != 0 {
            return Err(harmful("its data lie in another file"));
        }
        if features & CORRUPT != 0 {
            return Err(malformed("it is marked as corrupt"));
        }
        if u32_at(bytes, 32)? != 0 {
            return Err(malformed("it is encrypted"));
        }
        // A tool takes what is missing for zeros.
        let table = u64::from(u32_at(bytes, 36)?).saturating_mul(8);
        if u64_at(bytes, 40)?.saturating_add(table) > file_bytes {
            return Err(malformed("it is cut off"));
        }
        match u64_at(bytes, 24)? {
            0 => Err(malformed("its disk is empty")),
            size if size % 512 != 0 => Err(malformed("its size is not whole sectors")),
            virtual_size => Ok(Self { virtual_size }),
        }
    }
}

fn malformed(why: &str) -> Error {
    Error::Malformed { file: FILE, why: why.to_owned() }
}

fn harmful(why: &str) -> Error {
    Error::Unsafe { file: FILE, why: why.to_owned() }
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Error> {
    field(bytes, at).map(u32::from_be_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, Error> {
    field(bytes, at).map(u64::from_be_bytes)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Error> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
    found.copied().ok_or_else(|| malformed("its header is cut off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u32, size: u64) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4..8].copy_from_slice(&version.to_be_bytes());
        bytes[24..32].copy_from_slice(&size.to_be_bytes());
        bytes
    }

    fn refused(bytes: &[u8]) -> String {
        Header::read(bytes, 1000).unwrap_err().to_string()
    }

    #[test]
    fn the_size_of_a_plain_file_is_read() {
        for version in [2, 3] {
            let read = Header::read(&header(version, 1 << 30), 104).unwrap();
            assert_eq!(read.virtual_size, 1 << 30);
        }
    }

    #[test]
    fn what_opens_other_files_is_refused() {
        let mut backed = header(3, 512);
        backed[15] = 200;
        assert!(refused(&backed).contains("backing file"));
        let mut external = header(3, 512);
        external[79] = 4;
        assert!(refused(&external).contains("another file"));
    }

    #[test]
    fn what_no_tool_could_read_is_told_before() {
        let mut encrypted = header(2, 512);
        encrypted[35] = 1;
        assert!(refused(&encrypted).contains("encrypted"));
        assert!(refused(&header(4, 512)).contains("version is 4"));
        assert!(refused(&header(3, 0)).contains("empty"));
        assert!(refused(&header(3, 513)).contains("sectors"));
        assert!(refused(b"MZ").contains("no qcow2"));
        assert!(refused(&header(3, 512)[..70]).contains("cut off"));
        let mut table = header(3, 512);
        table[39] = 120;
        table[47] = 104;
        assert!(refused(&table).contains("cut off"));
    }
}
