//! Media types of published files.

const UNKNOWN: &str = "application/octet-stream";

/// The media type of a file: what its publication says, else what its name suggests.
///
/// A compressed file is what it is, not an encoding of something else: clients must receive the
/// very bytes that the index names.
pub(crate) fn of<'a>(declared: &'a str, path: &str) -> &'a str {
    if declared.is_empty() { by_name(path) } else { declared }
}

fn by_name(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((_, extension)) = name.rsplit_once('.') else { return UNKNOWN };
    match extension.to_ascii_lowercase().as_str() {
        "asc" | "sig" | "gpg" => "application/pgp-signature",
        "bz2" => "application/x-bzip2",
        "css" => "text/css",
        "csv" => "text/csv",
        "deb" | "udeb" | "ddeb" => "application/vnd.debian.binary-package",
        "epub" => "application/epub+zip",
        "gif" => "image/gif",
        "gz" | "tgz" => "application/gzip",
        "htm" | "html" => "text/html",
        "iso" => "application/x-iso9660-image",
        "jar" => "application/java-archive",
        "jpeg" | "jpg" => "image/jpeg",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "md" => "text/markdown",
        "mp4" => "video/mp4",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "qcow2" => "application/x-qemu-disk",
        "rpm" => "application/x-rpm",
        "svg" => "image/svg+xml",
        "tar" => "application/x-tar",
        "txt" | "log" => "text/plain",
        "wasm" => "application/wasm",
        "webp" => "image/webp",
        "whl" | "zip" => "application/zip",
        "xml" => "application/xml",
        "xz" => "application/x-xz",
        "zst" => "application/zstd",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_publication_decides_and_the_name_helps_out() {
        assert_eq!(of("text/x-own", "a.json"), "text/x-own");
        assert_eq!(of("", "a/b.JSON"), "application/json");
        assert_eq!(of("", "a/index.tar.gz"), "application/gzip");
        assert_eq!(of("", "a.d/SHA256SUMS"), UNKNOWN);
        assert_eq!(of("", "a.unheard"), UNKNOWN);
        assert_eq!(of("", ""), UNKNOWN);
    }
}
