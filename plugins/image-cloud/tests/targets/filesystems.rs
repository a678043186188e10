//! squashfs and ISO files, listed by the tools that people have.

use std::fs;

use serde_json::json;

use crate::base::Base;
use crate::tools::run;

#[tokio::test]
async fn a_squashfs_holds_the_tree_with_owners_modes_and_links() {
    let base = Base::with_tree();
    for compression in ["zstd", "xz"] {
        let wish = json!({ "compression": compression, "tar_excludes": ["./etc/fstab"] });
        let made = base.make("squashfs", "squashfs", &wish).await;
        assert_eq!(made.name, "Web-Server.squashfs");
        let facts = run("unsquashfs", ["-s", made.text()]);
        assert!(facts.contains(&format!("Compression {compression}")), "{facts}");
        let listed = run("unsquashfs", ["-lln", made.text()]);
        let has = |words: &[&str]| {
            listed.lines().any(|line| words.iter().all(|word| line.contains(word)))
        };
        assert!(has(&["-rw-r----- 1000/1001", "squashfs-root/etc/mail"]), "{listed}");
        assert!(has(&["-rwsr-xr-x 0/1", "squashfs-root/usr/bin/su"]), "{listed}");
        assert!(has(&["drwxrwxrwt", "squashfs-root/tmp"]), "{listed}");
        assert!(has(&["squashfs-root/bin -> usr/bin"]), "{listed}");
        assert!(has(&["prw-------", "squashfs-root/usr/share/pipe"]), "{listed}");
        assert!(!has(&["fstab"]) && !has(&["dev/null"]), "{listed}");
        assert_eq!(run("unsquashfs", ["-cat", made.text(), "usr/bin/ping6"]), "ping");
    }
}

#[tokio::test]
async fn the_same_tree_makes_the_same_squashfs() {
    let base = Base::with_tree();
    let one = base.make("squashfs", "squashfs", &json!({})).await;
    let other = base.make("squashfs", "squashfs", &json!({ "timestamp": 1_600_000_000 })).await;
    let again = base.make("squashfs", "squashfs", &json!({})).await;
    assert!(fs::read(&one.path).unwrap() == fs::read(again.path).unwrap());
    assert!(
        fs::read(one.path).unwrap() != fs::read(other.path).unwrap(),
        "its own time and those of its files differ"
    );
}

#[tokio::test]
async fn an_iso_file_holds_the_squashfs_where_media_have_their_root() {
    let base = Base::with_tree();
    let made = base.make("iso", "iso", &json!({ "volume_id": "my tree" })).await;
    assert_eq!(made.attributes["volume_id"], "MY_TREE");
    let device = format!("stdio:{}", made.text());
    let said = run("xorriso", ["-no_rc", "-indev", &device, "-pvd_info"]);
    assert!(said.contains("Volume Id    : MY_TREE"), "{said}");
    let out = tempfile::tempdir().unwrap();
    let inner = out.path().join("inner");
    let inner = inner.to_str().unwrap();
    let from = made.attributes["squashfs"].as_str().unwrap();
    run("xorriso", ["-no_rc", "-osirrox", "on", "-indev", &device, "-extract", from, inner]);
    assert_eq!(run("unsquashfs", ["-cat", inner, "usr/bin/ping6"]), "ping");
    let again = base.make("iso", "iso", &json!({ "volume_id": "my tree" })).await;
    assert!(fs::read(made.path).unwrap() == fs::read(again.path).unwrap());
}
