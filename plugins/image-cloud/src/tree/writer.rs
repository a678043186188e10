//! Writes members as ustar with pax headers where ustar has no room: the form that every program reads, and the same
//! bytes for the same members.

use std::io::{self, Read, Write};

use tar::{Builder, EntryType, Header};

use super::member::{Kind, Member};

/// What fits into the fields of a ustar header.
const NAME_BYTES: usize = 100;
const MOST_ID: u64 = 0o7_777_777;
const MOST_SIZE: u64 = 0o77_777_777_777;

/// Writes a member with its bytes.
pub(super) fn write(
    archive: &mut Builder<impl Write>,
    member: &Member,
    data: impl Read,
) -> io::Result<()> {
    let path = path(member);
    let extension = extension(member, &path);
    let records = extension.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
    archive.append_pax_extensions(records)?;
    archive.append(&header(member, &path), data)
}

/// The path as archives have it: of folders with a slash behind, of the root `./`.
fn path(member: &Member) -> Vec<u8> {
    let mut path = if member.path.is_empty() { b".".to_vec() } else { member.path.clone() };
    if member.kind == Kind::Directory {
        path.push(b'/');
    }
    path
}

fn extension(member: &Member, path: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |number: u64| number.to_string().into_bytes();
    let mut records = Vec::new();
    let mut add = |wanted: bool, key: &str, value: Vec<u8>| {
        if wanted {
            records.push((key.to_owned(), value));
        }
    };
    add(path.len() > NAME_BYTES, "path", path.to_vec());
    add(member.link.len() > NAME_BYTES, "linkpath", member.link.clone());
    add(member.size > MOST_SIZE, "size", number(member.size));
    add(member.uid > MOST_ID, "uid", number(member.uid));
    add(member.gid > MOST_ID, "gid", number(member.gid));
    for (name, value) in &member.xattrs {
        add(true, &format!("SCHILY.xattr.{name}"), value.clone());
    }
    records
}

fn header(member: &Member, path: &[u8]) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(match member.kind {
        Kind::File => EntryType::Regular,
        Kind::Directory => EntryType::Directory,
        Kind::Symlink => EntryType::Symlink,
        Kind::HardLink => EntryType::Link,
        Kind::Fifo => EntryType::Fifo,
        Kind::Device(false) => EntryType::Char,
        Kind::Device(true) => EntryType::Block,
    });
    header.set_mode(member.mode);
    header.set_uid(member.uid.min(MOST_ID));
    header.set_gid(member.gid.min(MOST_ID));
    header.set_mtime(member.mtime);
    header.set_size(member.size);
    put(&mut header.as_old_mut().name, path);
    if matches!(member.kind, Kind::Symlink | Kind::HardLink) {
        put(&mut header.as_old_mut().linkname, &member.link);
    }
    header.set_cksum();
    header
}

/// Fills a field with as much as fits; what does not is in the pax header before.
fn put(field: &mut [u8], bytes: &[u8]) {
    for (slot, byte) in field.iter_mut().zip(bytes) {
        *slot = *byte;
    }
}
