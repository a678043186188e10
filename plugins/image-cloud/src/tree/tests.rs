use std::io::{Cursor, Read as _};

use super::*;

/// A member of an archive that a test makes.
struct Made<'a> {
    path: &'a [u8],
    kind: tar::EntryType,
    link: &'a [u8],
    bytes: &'a [u8],
}

fn file<'a>(path: &'a str, bytes: &'a [u8]) -> Made<'a> {
    Made { path: path.as_bytes(), kind: tar::EntryType::Regular, link: b"", bytes }
}

fn link<'a>(path: &'a str, kind: tar::EntryType, to: &'a str) -> Made<'a> {
    Made { path: path.as_bytes(), kind, link: to.as_bytes(), bytes: b"" }
}

fn other(path: &str, kind: tar::EntryType) -> Made<'_> {
    Made { path: path.as_bytes(), kind, link: b"", bytes: b"" }
}

/// A header as it is asked for, however wrong.
fn header(made: &Made<'_>) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..made.path.len()].copy_from_slice(made.path);
    header.as_old_mut().linkname[..made.link.len()].copy_from_slice(made.link);
    header.set_entry_type(made.kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(100);
    header.set_size(u64::try_from(made.bytes.len()).unwrap());
    header.set_cksum();
    header
}

fn archive(members: &[Made<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for made in members {
        archive.append(&header(made), made.bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn copied(plain: &[u8], excludes: &[&str], limits: Limits) -> Result<(Copied, Vec<u8>), Error> {
    let packed = zstd::encode_all(plain, 1).unwrap();
    let excludes: Vec<String> = excludes.iter().map(|&it| it.to_owned()).collect();
    let mut output = Vec::new();
    let rules = Rules::new(&excludes)?;
    let copied = copy(Cursor::new(packed), &mut output, rules, limits, &Watch::default())?;
    Ok((copied, output))
}

const FREE: Limits = Limits { unpacked: 1 << 30, members: 1000, newest: None };

fn refused(members: &[Made<'_>]) -> String {
    copied(&archive(members), &[], FREE).unwrap_err().to_string()
}

fn paths(plain: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(plain);
    let entries = archive.entries().unwrap();
    entries.map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn paths_become_plain_and_bytes_stay() {
    let plain = archive(&[
        other("./", tar::EntryType::Directory),
        other("./etc/", tar::EntryType::Directory),
        file("./etc//host", b"x"),
        file("a/./b", &[7; 1000]),
    ]);
    let (copied, output) = copied(&plain, &[], FREE).unwrap();
    assert_eq!(paths(&output), ["./", "etc/", "etc/host", "a/b"]);
    assert_eq!((copied.members, copied.bytes, copied.newest), (4, 1001, 100));
    let mut bytes = Vec::new();
    let mut archive = tar::Archive::new(&output[..]);
    archive.entries().unwrap().nth(3).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, [7; 1000]);
}

// F117
#[test]
fn what_leads_out_of_the_root_is_refused() {
    assert!(refused(&[file("../x", b"")]).contains("\"../x\": it leads out of the root"));
    assert!(refused(&[file("a/../../x", b"")]).contains("leads out"));
    assert!(refused(&[file("/etc/x", b"")]).contains("absolute"));
    let hard = tar::EntryType::Link;
    assert!(refused(&[link("a", hard, "/etc/shadow")]).contains("hard link to \"/etc/shadow\""));
    assert!(refused(&[link("a", hard, "../b")]).contains("leads out"));
    let through = [link("a", tar::EntryType::Symlink, "/etc"), file("a/passwd", b"")];
    assert!(refused(&through).contains("below a symbolic link"));
}

#[test]
fn what_was_replaced_by_a_folder_is_no_link_any_more() {
    let plain = archive(&[
        link("a", tar::EntryType::Symlink, "b"),
        other("a", tar::EntryType::Directory),
        file("a/x", b""),
    ]);
    assert!(copied(&plain, &[], FREE).is_ok());
}

// F117
#[test]
fn deletions_and_nodes_are_refused_and_the_nodes_of_dev_left_out() {
    assert!(refused(&[file("etc/.wh.passwd", b"")]).contains("whiteout"));
    assert!(refused(&[other("disk", tar::EntryType::Block)]).contains("node of a device"));
    assert!(refused(&[other("dev", tar::EntryType::Char)]).contains("node of a device"));
    let plain = archive(&[other("dev/null", tar::EntryType::Char), file("x", b"")]);
    let (copied, output) = copied(&plain, &[], FREE).unwrap();
    assert_eq!((copied.devices, paths(&output)), (1, vec!["x".to_owned()]));
}

#[test]
fn hard_links_lead_to_what_came_before() {
    let hard = tar::EntryType::Link;
    assert!(refused(&[link("a", hard, "b")]).contains("did not come before"));
    let plain = archive(&[file("./b", b"x"), link("a", hard, "./b"), link("c", hard, "a")]);
    let (_copied, output) = copied(&plain, &[], FREE).unwrap();
    let mut archive = tar::Archive::new(&output[..]);
    let entry = archive.entries().unwrap().nth(1).unwrap().unwrap();
    assert_eq!(entry.link_name_bytes().unwrap().as_ref(), b"b");
    let error = copied_excluding(&plain, "b").to_string();
    assert!(error.contains("\"a\" is a hard link to \"b\", which is excluded"), "{error}");
}

fn copied_excluding(plain: &[u8], pattern: &str) -> Error {
    copied(plain, &[pattern], FREE).unwrap_err()
}

#[test]
fn patterns_exclude_files_and_all_below_a_folder() {
    let names = ["etc/fstab", "etc/host", "var/cache/a/b", "usr/x.pyc", "var/cached"];
    let members: Vec<Made<'_>> = names.iter().map(|name| file(name, b"")).collect();
    let plain = archive(&members);
    let (copied, output) =
        copied(&plain, &["./etc/fstab", "/var/cache/", "*.pyc", "./"], FREE).unwrap();
    assert_eq!(
        (copied.excluded, paths(&output)),
        (3, vec!["etc/host".to_owned(), "var/cached".to_owned()])
    );
    assert!(
        copied_excluding(&plain, "a[").to_string().contains("tar_excludes: \"a[\" is no pattern")
    );
}

#[test]
fn no_time_is_younger_than_asked_for() {
    let plain = archive(&[file("x", b"")]);
    let (copied, output) = copied(&plain, &[], Limits { newest: Some(50), ..FREE }).unwrap();
    assert_eq!(copied.newest, 50);
    assert_eq!(tar::Header::from_byte_slice(&output[..512]).mtime().unwrap(), 50);
}

#[test]
fn long_names_and_attributes_survive() {
    let long = format!("{}/file", "folder-with-a-long-name/".repeat(20));
    let mut made = tar::Builder::new(Vec::new());
    let capability: &[u8] = b"\x01\x00\x00\x02\n=\n\x00";
    let records = [
        ("path", long.as_bytes()),
        ("SCHILY.xattr.security.capability", capability),
        ("mtime", b"100.5"),
        ("uid", b"3000000000"),
    ];
    made.append_pax_extensions(records).unwrap();
    made.append(&header(&file("cut-off", b"data")), &b"data"[..]).unwrap();
    let (_copied, output) = copied(&made.into_inner().unwrap(), &[], FREE).unwrap();
    let mut reader = Reader::new(&output[..], 1000);
    let member = reader.next().unwrap().unwrap();
    assert_eq!(member.path, long.replace("//", "/").into_bytes());
    assert_eq!(member.xattrs, [("security.capability".to_owned(), capability.to_vec())]);
    assert_eq!((member.uid, member.mtime, member.size), (3_000_000_000, 100, 4));
}

// F102
#[test]
fn bombs_meet_limits() {
    let plain = archive(&[file("zeros", &vec![0; 4 << 20])]);
    let error = copied(&plain, &[], Limits { unpacked: 1 << 20, ..FREE }).unwrap_err();
    assert!(error.to_string().contains("over the limit of 1048576 bytes"), "{error}");
    let mut name = tar::Builder::new(Vec::new());
    let long = Made {
        path: b"././@LongLink",
        kind: tar::EntryType::GNULongName,
        link: b"",
        bytes: &[b'x'; 9000],
    };
    let mut gnu = tar::Header::new_gnu();
    gnu.set_entry_type(long.kind);
    gnu.set_size(9000);
    gnu.set_mode(0);
    gnu.set_cksum();
    name.append(&gnu, long.bytes).unwrap();
    let error = copied(&name.into_inner().unwrap(), &[], FREE).unwrap_err();
    assert!(error.to_string().contains("over the limit of 4097 bytes"), "{error}");
}

// F103
#[test]
fn members_without_number_meet_a_limit() {
    let members: Vec<Made<'_>> = (0..20).map(|_| file("x", b"")).collect();
    let few = Limits { members: 19, ..FREE };
    let error = copied(&archive(&members), &[], few).unwrap_err();
    assert!(error.to_string().contains("number of its members is over the limit of 19"), "{error}");
    let mut endless = tar::Builder::new(Vec::new());
    for _ in 0..50 {
        endless.append_pax_extensions([("comment", &b"x"[..])]).unwrap();
    }
    let error = copied(&endless.into_inner().unwrap(), &[], few).unwrap_err();
    assert!(error.to_string().contains("over the limit of 19"), "{error}");
}

#[test]
fn archives_that_are_none_are_told_from_those_cut_off() {
    let whole = archive(&[file("x", &[1; 600])]);
    for length in [100, 512, 800, 1100, 1600] {
        let error = copied(&whole[..length], &[], FREE).unwrap_err().to_string();
        assert!(error.contains("cut off"), "{length}: {error}");
    }
    let text = "no archive at all, but text ".repeat(40).into_bytes();
    let error = copied(&text, &[], FREE).unwrap_err().to_string();
    assert!(error.contains("header 1 has a wrong checksum"), "{error}");
    let doubled = [&archive(&[])[..], &whole[..]].concat();
    assert!(copied(&doubled, &[], FREE).unwrap_err().to_string().contains("behind"));
    let input = Cursor::new(b"no zstd either".to_vec());
    let error = copy(input, Vec::new(), Rules::new(&[]).unwrap(), FREE, &Watch::default());
    assert!(matches!(error, Err(Error::Malformed { .. })), "{error:?}");
}

#[test]
fn rarities_that_programs_read_differently_are_refused() {
    let plain = archive(&[other("x", tar::EntryType::GNUSparse)]);
    assert!(copied(&plain, &[], FREE).unwrap_err().to_string().contains("unknown kind 'S'"));
    let mut made = tar::Builder::new(Vec::new());
    made.append_pax_extensions([("GNU.sparse.major", &b"1"[..])]).unwrap();
    let error = copied(&made.into_inner().unwrap(), &[], FREE).unwrap_err();
    assert!(error.to_string().contains("sparse"), "{error}");
    let plain = archive(&[Made { bytes: b"x", ..other("d", tar::EntryType::Directory) }]);
    assert!(
        copied(&plain, &[], FREE).unwrap_err().to_string().contains("is no file, and has bytes")
    );
}

#[test]
fn a_stop_ends_the_copy() {
    let watch = Watch::default();
    watch.stop();
    let packed = zstd::encode_all(&archive(&[file("x", b"")])[..], 1).unwrap();
    let copied = copy(Cursor::new(packed), Vec::new(), Rules::new(&[]).unwrap(), FREE, &watch);
    assert!(matches!(copied, Err(Error::Cancelled)), "{copied:?}");
}
