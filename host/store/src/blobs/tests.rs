use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn opened() -> (tempfile::TempDir, Blobs) {
    let data = tempfile::tempdir().expect("a temporary folder");
    let blobs = Blobs::open_in(data.path()).expect("blobs open");
    (data, blobs)
}

async fn stage(blobs: &Blobs, name: &str, bytes: &[u8]) -> Staged {
    let path = blobs.job_folder(JobId(1)).await.expect("a job's folder").join(name);
    fs::write(&path, bytes).expect("a staged file");
    Staged { path, digest: Digest::of(bytes), size: bytes.len() as u64 }
}

#[tokio::test]
async fn adopted_bytes_are_read_under_their_digest() {
    let (_data, blobs) = opened();
    let staged = stage(&blobs, "a", b"bytes").await;
    blobs.adopt(vec![staged.clone()]).await.expect("adopted");
    assert!(!staged.path.exists(), "the staged file was moved");
    let (mut file, size) = blobs.open(staged.digest).await.expect("opened").expect("there");
    assert_eq!((hash(&mut file).expect("read"), size), ((staged.digest, 5), 5));
    let mode = fs::metadata(blobs.path(staged.digest)).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o444);
}

#[tokio::test]
async fn bytes_that_are_there_are_adopted_again_without_harm() {
    let (_data, blobs) = opened();
    let first = stage(&blobs, "a", b"bytes").await;
    let second = stage(&blobs, "b", b"bytes").await;
    blobs.adopt(vec![first, second.clone()]).await.expect("adopted");
    assert!(!second.path.exists());
    assert!(blobs.has(second.digest).await.expect("asked"));
}

#[tokio::test]
async fn links_and_files_elsewhere_are_not_adopted() {
    let (data, blobs) = opened();
    let mut staged = stage(&blobs, "a", b"bytes").await;
    let link = staged.path.with_file_name("link");
    symlink("/etc/hostname", &link).expect("a link");
    staged.path = link;
    assert!(matches!(blobs.adopt(vec![staged.clone()]).await, Err(Error::Staged { .. })));
    staged.path = data.path().join("elsewhere");
    fs::write(&staged.path, b"bytes").expect("a file");
    assert!(matches!(blobs.adopt(vec![staged]).await, Err(Error::Staged { .. })));
}

#[tokio::test]
async fn f59_f60_whatever_a_job_left_is_removed_and_links_are_not_followed() {
    let (data, blobs) = opened();
    let folder = blobs.job_folder(JobId(7)).await.expect("a folder");
    let outside = data.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("kept"), b"kept").expect("a file");
    symlink(&outside, folder.join("farm")).expect("a link");
    let mut deep = folder.clone();
    for _ in 0..600 {
        deep = folder.join("d");
        let inner = folder.join("inner");
        if deep.exists() {
            fs::rename(&deep, &inner).expect("moved");
        }
        fs::create_dir(&deep).expect("a folder");
        if inner.exists() {
            fs::rename(&inner, deep.join("d")).expect("moved");
        }
    }
    let closed = folder.join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::write(closed.join("file"), b"x").expect("a file");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).expect("rights");
    blobs.remove_job_folder(JobId(7)).await.expect("removed");
    assert!(!folder.exists() && !deep.exists());
    assert!(outside.join("kept").exists());
}

#[tokio::test]
async fn f160_folders_of_dead_jobs_are_removed_at_start() {
    let (_data, blobs) = opened();
    let folder = blobs.job_folder(JobId(3)).await.expect("a folder");
    fs::write(folder.join("half"), b"half").expect("a file");
    blobs.clean().await.expect("cleaned");
    assert!(!folder.exists());
}
