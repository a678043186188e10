//! Values that the user names by a file: `--set key=@FILE`.
//!
//! The file is read here, by the user who types, and not by the server or a plugin, which see its content only.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Error;

/// The most bytes of one file; a request has to hold them.
const MAX_BYTES: u64 = 512 << 10;

/// What stands for a value: itself, the content of `@FILE`, or `@...` of `@@...`.
pub(super) fn value(text: String) -> Result<String, Error> {
    match text.strip_prefix('@') {
        None => Ok(text),
        Some(rest) if rest.starts_with('@') => Ok(rest.to_owned()),
        Some(path) => read(Path::new(path)),
    }
}

/// A file's text; one that is no text in base64.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::File { action: "read", path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        let why = format!("it is larger than {MAX_BYTES} bytes");
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|binary| STANDARD.encode(binary.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_be_what_a_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            format!("@{}", path.display())
        };
        assert_eq!(value("plain@text".to_owned()).unwrap(), "plain@text");
        assert_eq!(value("@@user".to_owned()).unwrap(), "@user");
        assert_eq!(value(file("a", b"one\ntwo\n")).unwrap(), "one\ntwo\n");
        assert_eq!(value(file("b", &[0x99, 0xff])).unwrap(), "mf8=");
        assert!(matches!(value("@/no/such/file".to_owned()), Err(Error::File { .. })));
        let large = vec![b'x'; usize::try_from(MAX_BYTES).unwrap() + 1];
        assert!(matches!(value(file("c", &large)), Err(Error::File { .. })));
    }
}
