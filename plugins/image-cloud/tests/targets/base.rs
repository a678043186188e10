//! A small base image, and builds of it.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use tar::{EntryType, Header};
use wharf_plugin_image_cloud::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::{Stage, wire};

use crate::tools::run;

/// The disk's size: no size that cylinders, heads and sectors can tell.
pub(crate) const DISK_BYTES: u64 = (24 << 20) + 512 * 3;
/// The time of all files of the tree.
pub(crate) const TREE_TIME: u64 = 1_700_000_000;
/// An extended attribute of `usr/bin/ping`, with a line feed inside.
pub(crate) const ATTRIBUTE: &[u8] = b"\x01\x00=\x02\x0a\x00 \xff";

/// A plugin with a job, and a base image in the job's folder.
pub(crate) struct Base {
    pub(crate) harness: Harness,
    attributes: Value,
    files: Vec<&'static str>,
}

/// An image that was made.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) attributes: Value,
}

impl Base {
    /// Without any file yet.
    pub(crate) fn empty() -> Self {
        let harness = Harness::start(plugin(), FakeHost::new());
        fs::create_dir(harness.work_dir().join("base")).unwrap();
        Self { harness, attributes: json!({ "boot": "uefi" }), files: Vec::new() }
    }

    /// With a disk.
    pub(crate) fn with_disk() -> Self {
        let base = Self::empty();
        let (raw, disk) = (base.file("raw"), base.file("disk.qcow2"));
        let file = File::create(&raw).unwrap();
        file.set_len(DISK_BYTES).unwrap();
        let bytes: Vec<u8> =
            (0..300_000_u32).flat_map(|it| it.wrapping_mul(it).to_le_bytes()).collect();
        file.write_all_at(&bytes, 1 << 20).unwrap();
        file.write_all_at(b"the last sector", DISK_BYTES - 512).unwrap();
        let (from, to) = (raw.to_str().unwrap(), disk.to_str().unwrap());
        run("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", from, to]);
        fs::remove_file(raw).unwrap();
        base.and("disk.qcow2")
    }

    /// With a root file system.
    pub(crate) fn with_tree() -> Self {
        let base = Self::empty();
        fs::write(base.file("rootfs.tar.zst"), zstd::encode_all(&tree()[..], 3).unwrap()).unwrap();
        base.and("rootfs.tar.zst")
    }

    /// With one more file, which lies in the base image's folder.
    pub(crate) fn and(mut self, name: &'static str) -> Self {
        self.files.push(name);
        self
    }

    /// With these attributes.
    pub(crate) fn saying(mut self, attributes: Value) -> Self {
        self.attributes = attributes;
        self
    }

    /// A file of the base image.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.harness.work_dir().join("base").join(name)
    }

    /// What the job's folder holds.
    pub(crate) fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.harness.work_dir()).unwrap();
        entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// What is asked for besides the parameters.
    pub(crate) fn recipe(&self, target: &str) -> wire::BuildRequest {
        let staged = |name: &&str| wire::File {
            path: (*name).to_owned(),
            staged: Some(format!("base/{name}")),
            ..wire::File::default()
        };
        let template = json!({
            "name": "Web Server", "description": "serves <pages>",
            "os": { "name": "Debian", "version": "12", "arch": "x86_64" },
        });
        wire::BuildRequest {
            template: Some(wire::Template {
                media_type: "application/vnd.wharf.template+json".to_owned(),
                content: template.to_string().into_bytes(),
            }),
            target: Some(wire::Target {
                name: target.to_owned(),
                version: String::new(),
                architecture: "x86_64".to_owned(),
            }),
            parent: Some(wire::Unit {
                r#type: "image_base".to_owned(),
                attributes: self.attributes.to_string(),
                files: self.files.iter().map(staged).collect(),
                ..wire::Unit::default()
            }),
            ..wire::BuildRequest::default()
        }
    }

    /// Runs a component for a target.
    pub(crate) async fn run(&self, component: &str, target: &str, parameters: &Value) -> Run {
        let call = self.harness.call(component).settings(parameters).recipe(self.recipe(target));
        call.build(Stage::Target).await
    }

    /// Makes an image.
    pub(crate) async fn make(&self, component: &str, target: &str, parameters: &Value) -> Made {
        let run = self.run(component, target, parameters).await;
        assert!(run.done().changed, "{run:?}");
        let [unit] = &run.units[..] else { panic!("one unit: {:?}", run.units) };
        assert_eq!((unit.r#type.as_str(), unit.key.as_str()), ("image_target", "{}"));
        let [file] = &unit.files[..] else { panic!("one file: {:?}", unit.files) };
        let path = self.harness.work_dir().join(file.staged.as_ref().unwrap());
        let folder: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(folder.len(), 1, "nothing lies beside the image: {folder:?}");
        assert_eq!(file.size, Some(path.metadata().unwrap().len()));
        let attributes: Value = serde_json::from_str(&unit.attributes).unwrap();
        assert!(attributes["tool"].as_str().unwrap().contains(|c: char| c.is_ascii_digit()));
        Made { path, name: file.path.clone(), media_type: file.media_type.clone(), attributes }
    }
}

impl Made {
    /// The path as an argument.
    pub(crate) fn text(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// A root file system with one of everything.
pub(crate) fn tree() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let add = |archive: &mut tar::Builder<Vec<u8>>,
               path: &str,
               kind,
               mode,
               owner,
               link: &str,
               bytes: &[u8]| {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(owner);
        header.set_gid(owner + 1);
        header.set_mtime(TREE_TIME);
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_device_major(1).unwrap();
        header.set_device_minor(3).unwrap();
        header.set_cksum();
        archive.append(&header, bytes).unwrap();
    };
    let a = &mut archive;
    for folder in ["./", "./dev/", "./etc/", "./usr/", "./usr/bin/", "./usr/share/"] {
        add(a, folder, EntryType::Directory, 0o755, 0, "", b"");
    }
    add(a, "./tmp/", EntryType::Directory, 0o1777, 0, "", b"");
    add(a, "./bin", EntryType::Symlink, 0o777, 0, "usr/bin", b"");
    add(a, "./dev/null", EntryType::Char, 0o666, 0, "", b"");
    add(a, "./etc/fstab", EntryType::Regular, 0o644, 0, "", b"/dev/sda1 / ext4\n");
    add(a, "./etc/shadow-", EntryType::Regular, 0o000, 0, "", b"secret\n");
    add(a, "./etc/mail", EntryType::Regular, 0o640, 1000, "", b"owned\n");
    add(a, "./usr/bin/su", EntryType::Regular, 0o4755, 0, "", b"#!/bin/sh\n");
    let attribute = [("SCHILY.xattr.user.note", ATTRIBUTE)];
    a.append_pax_extensions(attribute).unwrap();
    add(a, "./usr/bin/ping", EntryType::Regular, 0o755, 0, "", b"ping");
    add(a, "./usr/bin/ping6", EntryType::Link, 0o755, 0, "./usr/bin/ping", b"");
    add(a, "./usr/share/pipe", EntryType::Fifo, 0o600, 0, "", b"");
    let long = format!("./usr/share/{}", "a".repeat(150));
    a.append_pax_extensions([("path", long.as_bytes())]).unwrap();
    add(a, "./usr/share/cut", EntryType::Regular, 0o644, 0, "", &text(1 << 20));
    a.get_mut().flush().unwrap();
    archive.into_inner().unwrap()
}

/// A compressed tree of one file of so many MiB, which take a while to be compressed again.
pub(crate) fn large_tree(mib: u64) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.set_path("large").unwrap();
    header.set_size(mib << 20);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    let mut packed = zstd::Encoder::new(Vec::new(), -7).unwrap();
    packed.write_all(header.as_bytes()).unwrap();
    let block = text(1 << 20);
    (0..mib).for_each(|_| packed.write_all(&block).unwrap());
    packed.write_all(&[0; 1024]).unwrap();
    packed.finish().unwrap()
}

/// Bytes that can be compressed, but not to nothing.
pub(crate) fn text(bytes: u32) -> Vec<u8> {
    (0..bytes)
        .map(|it| b"abcdefgh"[usize::try_from(it.wrapping_mul(it) >> 7 & 7).unwrap()])
        .collect()
}
