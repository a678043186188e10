//! Images go to object storage, to OpenStack and into a folder, and are deleted there again: moto's S3 looked at by boto3,
//! a strict Glance of our own, sha256sum.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use wharf_tests::TestHost;
use wharf_tests::providers::{Glance, PASSWORD, PROJECT, S3, USER};

use crate::run;

/// A host with the plugin, the secret of all providers, and a wrong one.
pub(crate) struct Stand {
    pub(crate) host: TestHost,
}

impl Stand {
    pub(crate) fn new() -> Self {
        let mut host = TestHost::new();
        host.install("image-push");
        host.serve();
        for (name, value) in [("good", PASSWORD), ("wrong", "no such horse at all")] {
            host.given(value.as_bytes(), &["secret", "set", name, "-"]).ended(0, "");
        }
        Self { host }
    }

    /// Makes a provider.
    pub(crate) fn provider(&self, name: &str, component: &str, settings: &[&str]) {
        let mut arguments = vec!["instance", "create", name, component];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        self.host.ok(&arguments);
    }

    /// `more`: settings, which may be others than those that are good.
    pub(crate) fn s3(&self, s3: &S3, name: &str, more: &[&str]) {
        let endpoint = format!("endpoint=http://{}", s3.server().address);
        let (bucket, user) = (format!("bucket={PROJECT}"), format!("access_key={USER}"));
        let key = |setting: &str| setting.split('=').next().unwrap_or_default().to_owned();
        let good = [endpoint.as_str(), &bucket, &user, "part_mib=5"];
        let is_other = |good: &&&str| more.iter().all(|other| key(other) != key(good));
        let settings: Vec<&str> = good.iter().filter(is_other).chain(more).copied().collect();
        self.provider(name, "image-push.s3", &settings);
    }

    pub(crate) fn glance(&self, glance: &Glance, name: &str, secret: &str) {
        let auth = format!("auth_url=http://{}/identity/v3", glance.server().address);
        let (user, project) = (format!("username={USER}"), format!("project={PROJECT}"));
        let secret = format!("password={secret}");
        self.provider(name, "image-push.glance", &[&auth, &user, &project, &secret]);
    }

    /// A raw disk of this many MiB as a target image; its number and digest.
    pub(crate) fn image(&self, mib: usize) -> (String, String) {
        let path = self.host.folder().join("disk.img");
        let disk = File::create(&path).expect("a file");
        // A boot sector's mark, and no two parts alike.
        disk.write_all_at(&[0x55, 0xaa], 510).expect("a file");
        for at in 0..mib as u64 {
            disk.write_all_at(format!("MiB {at}").as_bytes(), at << 20).expect("a file");
        }
        disk.set_len((mib as u64) << 20).expect("a file");
        let path = path.display().to_string();
        let image = self.host.ok(&["image", "import", &path, "--target", "raw", "--name", "web"]);
        let digest = run(self.host.folder(), "sha256sum", &[&path]);
        let digest = digest.split(' ').next().expect("a digest").to_owned();
        (image["unit"].to_string(), digest)
    }

    /// What the host knows of providers.
    pub(crate) fn records(&self) -> usize {
        let all = self.host.ok(&["image"]);
        let all = all.as_array().expect("a list").iter();
        all.filter(|image| image["type"] == "image_provider").count()
    }
}

#[test]
fn an_image_becomes_an_object_in_parts_once_and_is_deleted_again() {
    let (stand, s3) = (Stand::new(), S3::start());
    stand.s3(&s3, "store", &["secret_key=good", "prefix=images/"]);
    let (image, digest) = stand.image(12);
    let pushed = stand.host.ok(&["image", "push", &image, "store"]);
    let seen = s3.look();
    let (key, object) = seen["objects"].as_object().and_then(|all| all.iter().next()).expect("one");
    assert_eq!(
        (&object["sha256"], &object["metadata"]["wharf-sha256"]),
        (&json!(digest), &json!(digest))
    );
    let number = key.strip_prefix("images/web-").and_then(|rest| rest.strip_suffix(".raw"));
    assert!(number.is_some(), "{key}");
    let etag = object["etag"].as_str().expect("a tag");
    assert!(etag.ends_with("-3"), "12 MiB are three parts of 5: {etag}");
    let identifier = pushed["identifier"].as_str().expect("a name");
    assert_eq!(identifier, format!("s3://{PROJECT}/{key}?etag={etag}"));
    let again = stand.host.ok(&["image", "push", &image, "store"]);
    assert_eq!(again["changed"], json!(false), "{again:#}");
    // Whoever lost the record finds the object, and sends no byte.
    stand.host.ok(&["instance", "set", "store", "--set", "parallel=2"]);
    stand.host.ok(&["image", "push", &image, "store"]);
    assert_eq!(s3.server().requests(&["PUT", "partNumber"]), 3);
    let record = stand.host.ok(&["image", "push", &image, "store"])["unit"].to_string();
    assert_eq!(s3.server().requests(&["PUT", "partNumber"]), 3);
    stand.host.ok(&["image", "unpublish", &record]);
    assert_eq!(s3.look(), json!({ "objects": {}, "uploads": [] }));
    stand.host.finish();
}

#[test]
fn an_object_that_no_push_made_is_neither_overwritten_nor_deleted() {
    let (stand, s3) = (Stand::new(), S3::start());
    stand.s3(&s3, "store", &["secret_key=good"]);
    let (image, _digest) = stand.image(1);
    s3.put("taken", "somebody else's");
    let refused = stand.host.wharf(&["image", "push", &image, "store", "--param", "key=taken"]);
    refused.ended(2, "conflict").says(&["conflict.exists", "taken"]);
    let pushed = stand.host.ok(&["image", "push", &image, "store", "--param", "key=free"]);
    s3.put("free", "put into its place");
    let gone = stand.host.ok(&["image", "unpublish", &pushed["unit"].to_string()]);
    assert_eq!(gone["warnings"], json!(1), "{gone:#}");
    assert_eq!(s3.look()["objects"].as_object().map(serde_json::Map::len), Some(2));
    stand.host.finish();
}

#[test]
fn a_disk_becomes_an_image_of_openstack_and_is_deleted_again() {
    let (stand, glance) = (Stand::new(), Glance::start());
    stand.glance(&glance, "cloud", "good");
    let (image, digest) = stand.image(3);
    let asked =
        ["image", "push", &image, "cloud", "--param", "name=Web", "--param", "visibility=shared"];
    let pushed = stand.host.ok(&asked);
    let [made] = &glance.images()[..] else { panic!("one image") };
    assert_eq!(made["id"], pushed["identifier"]);
    let told = ["name", "status", "visibility", "disk_format", "container_format", "architecture"];
    let told: Vec<&Value> = told.iter().map(|name| &made[*name]).collect();
    assert_eq!(told, ["Web", "active", "shared", "raw", "bare", "x86_64"], "{made:#}");
    assert_eq!((&made["size"], &made["os_hash_value"]), (&json!(3 << 20), &json!(digest)));
    let again = stand.host.ok(&asked);
    assert_eq!(again["changed"], json!(false), "{again:#}");
    assert_eq!((glance.images().len(), glance.server().requests(&["PUT", "/file"])), (1, 1));
    let anew = stand.host.ok(&[&asked[..], &["--again"]].concat());
    let [other] = &glance.images()[..] else { panic!("the one before makes way") };
    assert_eq!(other["id"], anew["identifier"]);
    assert_ne!(other["id"], made["id"]);
    stand.host.ok(&["image", "unpublish", &anew["unit"].to_string()]);
    assert_eq!((glance.images(), stand.records()), (Vec::new(), 0));
    stand.host.finish();
}

#[test]
fn an_image_is_copied_into_a_folder_whole_and_with_its_digest() {
    let stand = Stand::new();
    let folder: PathBuf = stand.host.folder().join("shelf");
    fs::create_dir(&folder).expect("a folder");
    stand.provider("shelf", "image-push.folder", &[&format!("path={}", folder.display())]);
    let (image, digest) = stand.image(2);
    let pushed = stand.host.ok(&["image", "push", &image, "shelf", "--param", "name=web.img"]);
    let told = run(&folder, "sha256sum", &["--check", "web.img.sha256"]);
    assert_eq!(told, "web.img: OK\n");
    assert!(
        fs::read_to_string(folder.join("web.img.sha256")).is_ok_and(|it| it.starts_with(&digest))
    );
    assert_eq!(pushed["identifier"], json!(format!("file://{}/web.img", folder.display())));
    fs::write(folder.join("own.img"), "mine").expect("a file");
    let refused = stand.host.wharf(&["image", "push", &image, "shelf", "--param", "name=own.img"]);
    refused.ended(2, "conflict").says(&["conflict.exists"]);
    let there = stand.host.ok(&["image", "push", &image, "shelf", "--param", "name=web.img"]);
    assert_eq!((&there["changed"], &there["unit"]), (&json!(false), &pushed["unit"]), "{there:#}");
    // What somebody took away is pushed again.
    fs::remove_file(folder.join("web.img")).expect("a file");
    let pushed = stand.host.ok(&["image", "push", &image, "shelf", "--param", "name=web.img"]);
    assert_eq!((&pushed["changed"], stand.records()), (&json!(true), 1), "{pushed:#}");
    assert_eq!(run(&folder, "sha256sum", &["--check", "web.img.sha256"]), "web.img: OK\n");
    let outside = stand.host.wharf(&["image", "push", &image, "shelf", "--param", "name=../x"]);
    outside.ended(2, "config").says(&["config.name"]);
    stand.host.ok(&["image", "unpublish", &pushed["unit"].to_string()]);
    let left: Vec<_> =
        fs::read_dir(&folder).expect("a folder").flatten().map(|it| it.file_name()).collect();
    assert_eq!(left, ["own.img"]);
    stand.host.finish();
}

#[test]
fn a_file_that_somebody_put_into_the_place_of_a_pushed_one_is_neither_deleted_nor_overwritten() {
    let stand = Stand::new();
    let folder: PathBuf = stand.host.folder().join("shelf");
    fs::create_dir(&folder).expect("a folder");
    stand.provider("shelf", "image-push.folder", &[&format!("path={}", folder.display())]);
    let (image, _digest) = stand.image(1);
    let asked = ["image", "push", &image, "shelf", "--param", "name=own.img"];
    let record = stand.host.ok(&asked)["unit"].to_string();
    let (own, pushed) = (folder.join("own.img"), folder.join("pushed.img"));
    fs::rename(&own, &pushed).expect("a name");
    // As many bytes as the image, and others.
    let mine = vec![b'm'; 1 << 20];
    fs::write(&own, &mine).expect("a file");
    let refused = stand.host.wharf(&["image", "unpublish", &record]);
    refused.ended(2, "conflict").says(&["conflict.changed", "own.img", "move it elsewhere"]);
    let anew = stand.host.wharf(&[&asked[..], &["--again"]].concat());
    anew.ended(2, "conflict").says(&["conflict.exists", "own.img"]);
    assert_eq!((fs::read(&own).ok(), stand.records()), (Some(mine), 1));
    fs::remove_file(folder.join("own.img.sha256")).expect("a file");
    let refused = stand.host.wharf(&["image", "unpublish", &record]);
    refused.ended(2, "conflict").says(&["conflict.changed"]);
    fs::remove_file(&own).expect("a file");
    stand.host.ok(&["image", "unpublish", &record]);
    assert_eq!(stand.records(), 0);
    stand.host.finish();
}
