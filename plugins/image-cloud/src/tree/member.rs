//! One file, folder, link or node of a root file system, as a tar archive tells of it.

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file with bytes.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Another name of a file that came before.
    HardLink,
    /// A named pipe.
    Fifo,
    /// A node of a device: true for one of blocks.
    Device(bool),
}

/// A member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The path as it came, until it was checked; then without `./` before it and `/` behind it. Empty: the root.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Permissions, with set-user-id and its kin.
    pub mode: u32,
    /// The owner's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
    /// When it was changed, in seconds since 1970.
    pub mtime: u64,
    /// Bytes that follow.
    pub size: u64,
    /// Where a link leads.
    pub link: Vec<u8>,
    /// Extended attributes, in the archive's order.
    pub xattrs: Vec<(String, Vec<u8>)>,
}

impl Member {
    /// The path for people, on one line.
    pub fn shown(&self) -> String {
        shown(&self.path)
    }
}

/// A path for people: control characters are escaped, and what is long is cut.
pub(super) fn shown(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    let text: String = text.chars().take(200).flat_map(char::escape_debug).collect();
    format!("\"{text}\"")
}
