//! What kind of image a file is, by its first and last bytes, and how large its disk is where a header says so. Pure.
//!
//! Sources: QEMU's docs/interop (qcow2, vhdx), VMware's "Virtual Disk Format 5.0", Microsoft's "Virtual Hard Disk Image
//! Format", VirtualBox's VDICore.h, ECMA-119, POSIX ustar.

/// Bytes at the beginning that are looked at: an ISO file says in its seventeenth sector what it is.
pub(crate) const HEAD: usize = 33 << 10;
/// Bytes at the end that are looked at.
pub(crate) const TAIL: usize = 512;
/// Bytes of a sector, in which some formats count.
const SECTOR: u64 = 512;

/// A kind of image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format {
    /// As in the attribute `format` of built images.
    pub(crate) name: &'static str,
    /// Of a file's name.
    pub(crate) ending: &'static str,
    pub(crate) media_type: &'static str,
    /// The disk's size in bytes.
    pub(crate) virtual_size: Option<u64>,
}

impl Format {
    const fn new(name: &'static str, ending: &'static str, media_type: &'static str) -> Self {
        Self { name, ending, media_type, virtual_size: None }
    }

    fn of_size(self, virtual_size: Option<u64>) -> Self {
        Self { virtual_size, ..self }
    }
}

/// Looks at a file of `size` bytes. `head` and `tail`: its first and last bytes, as many as it has.
pub(crate) fn recognise(head: &[u8], tail: &[u8], size: u64) -> Option<Format> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let at = |place: usize, magic: &[u8]| head.get(place..).is_some_and(|it| it.starts_with(magic));
    Some(if starts(b"QFI\xfb") {
        Format::new("qcow2", "qcow2", "application/x-qemu-disk").of_size(be64(head, 24))
    } else if starts(b"KDMV") {
        let sectors = le64(head, 12).and_then(|count| count.checked_mul(SECTOR));
        Format::new("vmdk", "vmdk", "application/x-vmdk").of_size(sectors)
    } else if starts(b"vhdxfile") {
        Format::new("vhdx", "vhdx", "application/x-vhdx")
    } else if tail.starts_with(b"conectix") {
        Format::new("vpc", "vhd", "application/x-vhd").of_size(be64(tail, 48))
    } else if at(0x40, &[0x7f, 0x10, 0xda, 0xbe]) {
        Format::new("vdi", "vdi", "application/x-virtualbox-vdi").of_size(le64(head, 0x170))
    } else if starts(b"hsqs") {
        Format::new("squashfs", "squashfs", "application/vnd.squashfs")
    } else if starts(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Format::new("tar.zst", "tar.zst", "application/zstd")
    } else if starts(&[0x1f, 0x8b]) {
        Format::new("tar.gz", "tar.gz", "application/gzip")
    } else if at(257, b"ustar") {
        archive(head)
    } else if at(32_769, b"CD001") {
        Format::new("iso", "iso", "application/x-iso9660-image")
    } else if at(510, &[0x55, 0xaa]) {
        Format::new("raw", "raw", "application/octet-stream").of_size(Some(size))
    } else {
        return None;
    })
}

/// A tar archive, by the name of its first member.
fn archive(head: &[u8]) -> Format {
    let name = head.get(..100).unwrap_or_default();
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    let name = name.get(..end).unwrap_or_default();
    let name = name.strip_prefix(b"./").unwrap_or(name);
    let is_layout =
        [&b"blobs/"[..], b"oci-layout", b"index.json"].iter().any(|it| name.starts_with(it));
    if name.ends_with(b".ovf") {
        Format::new("ova", "ova", "application/x-virtualbox-ova")
    } else if is_layout {
        Format::new("oci-archive", "oci.tar", "application/x-tar")
    } else {
        Format::new("tar", "tar", "application/x-tar")
    }
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head with these bytes at these places.
    fn head(parts: &[(usize, &[u8])]) -> Vec<u8> {
        let mut head = vec![0; HEAD];
        for (at, bytes) in parts {
            head[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        head
    }

    #[test]
    fn a_file_is_known_by_its_bytes_and_tells_the_size_of_its_disk() {
        let size = 1_u64 << 30;
        let big = size.to_be_bytes();
        for (parts, name, virtual_size) in [
            (vec![(0, &b"QFI\xfb"[..]), (24, &big)], "qcow2", Some(size)),
            (vec![(0, b"KDMV"), (12, &(size / 512).to_le_bytes())], "vmdk", Some(size)),
            (
                vec![(0x40, &[0x7f, 0x10, 0xda, 0xbe]), (0x170, &size.to_le_bytes())],
                "vdi",
                Some(size),
            ),
            (vec![(510, &[0x55, 0xaa])], "raw", Some(7)),
            (vec![(0, b"vhdxfile")], "vhdx", None),
            (vec![(0, b"web.ovf"), (257, b"ustar")], "ova", None),
            (vec![(0, b"blobs/sha256/0"), (257, b"ustar")], "oci-archive", None),
            (vec![(0, b"manifest.json"), (257, b"ustar")], "tar", None),
            (vec![(32_769, b"CD001")], "iso", None),
        ] {
            let found = recognise(&head(&parts), &[0; TAIL], 7).expect(name);
            assert_eq!((found.name, found.virtual_size), (name, virtual_size));
        }
        let footer = head(&[(0, b"conectix"), (48, &big)]);
        let found = recognise(&head(&[]), &footer[..TAIL], 7).expect("a vhd");
        assert_eq!((found.name, found.virtual_size), ("vpc", Some(size)));
    }

    #[test]
    fn what_is_nothing_known_or_cut_off_is_no_image() {
        assert_eq!(recognise(&head(&[]), &[], 7), None);
        assert_eq!(recognise(b"", b"", 0), None);
        assert_eq!(recognise(b"QFI\xfb", b"QFI\xfb", 4).and_then(|it| it.virtual_size), None);
    }
}
