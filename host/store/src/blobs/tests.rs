use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use rustix::fs::{Mode, OFlags};

use super::*;

fn opened() -> (tempfile::TempDir, Blobs) {
    let data = tempfile::tempdir().expect("a temporary folder");
    let blobs = Blobs::open_in(data.path(), crate::pins::Pins::default()).expect("blobs open");
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
async fn files_that_could_change_or_are_not_where_they_seem_are_not_adopted() {
    let (data, blobs) = opened();
    let staged = stage(&blobs, "a", b"bytes").await;
    fs::hard_link(&staged.path, staged.path.with_file_name("b")).expect("a second name");
    let refused = async |staged: &Staged| {
        let error = blobs.adopt(vec![staged.clone()]).await.expect_err("refused");
        assert_eq!(error.code(), "protocol.staged", "{error}");
    };
    refused(&staged).await;
    fs::remove_file(staged.path.with_file_name("b")).expect("removed");
    refused(&Staged { size: 4, ..staged.clone() }).await;
    let folder = data.path().join("outside");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("a"), b"bytes").expect("a file");
    let link = staged.path.with_file_name("link");
    symlink(&folder, &link).expect("a link");
    refused(&Staged { path: link.join("a"), ..staged.clone() }).await;
    let below = staged.path.with_file_name("x").join("../../../outside/a");
    assert!(blobs.adopt(vec![Staged { path: below, ..staged.clone() }]).await.is_err());
    assert!(folder.join("a").exists() && !blobs.has(staged.digest).await.expect("asked"));
    blobs.adopt(vec![staged.clone()]).await.expect("adopted");
}

#[tokio::test]
async fn f84_a_broken_blob_is_replaced_and_many_are_adopted_at_once() {
    let (_data, blobs) = opened();
    let mut staged = Vec::new();
    for n in 0..300_u32 {
        let bytes = n.to_string();
        let mut file = stage(&blobs, &format!("{n}"), bytes.as_bytes()).await;
        let folder = file.path.with_file_name(format!("d{}", n % 7));
        fs::create_dir_all(&folder).expect("a folder");
        let deeper = folder.join("file").with_extension(&bytes);
        fs::rename(&file.path, &deeper).expect("moved");
        fs::set_permissions(&deeper, fs::Permissions::from_mode(0o000)).expect("rights");
        file.path = deeper;
        staged.push(file);
    }
    let broken = blobs.path(staged[0].digest);
    fs::create_dir(broken.parent().expect("a folder")).expect("made");
    fs::write(&broken, b"").expect("a broken blob");
    blobs.adopt(staged.clone()).await.expect("adopted");
    for file in staged {
        let (blob, size) = blobs.open_blocking(file.digest).expect("opened").expect("there");
        assert_eq!(hash(blob).expect("read"), (file.digest, size));
    }
}

fn nest(folder: &std::os::fd::OwnedFd) -> rustix::io::Result<std::os::fd::OwnedFd> {
    rustix::fs::mkdirat(folder, "d", Mode::RWXU)?;
    rustix::fs::openat(folder, "d", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

#[tokio::test]
async fn f59_f60_whatever_a_job_left_is_removed_and_links_are_not_followed() {
    let (data, blobs) = opened();
    let folder = blobs.job_folder(JobId(7)).await.expect("a folder");
    let outside = data.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("kept"), b"kept").expect("a file");
    symlink(&outside, folder.join("farm")).expect("a link");
    let mut deep = fs::File::open(&folder).expect("a folder").into();
    for _ in 0..10_000 {
        deep = nest(&deep).expect("a folder in a folder");
    }
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.join("pipe"), Mode::RWXU).expect("a pipe");
    let closed = folder.join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::write(closed.join("file"), b"x").expect("a file");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).expect("rights");
    blobs.remove_job_folder(JobId(7)).await.expect("removed");
    assert!(!folder.exists());
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_that_are_adopted_side_by_side_share_new_folders() {
    let (_data, blobs) = opened();
    let mut batches = Vec::new();
    for batch in 0..4_u32 {
        let mut staged = Vec::new();
        for file in 0..200_u32 {
            staged.push(stage(&blobs, &format!("{batch}-{file}"), &file.to_le_bytes()).await);
        }
        batches.push(staged);
    }
    let adopted = all_at_once(batches.into_iter().map(|batch| {
        let blobs = blobs.clone();
        async move { blobs.adopt(batch).await }
    }));
    for outcome in adopted.await {
        outcome.expect("adopted");
    }
}

/// Runs all at once.
async fn all_at_once<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let set: tokio::task::JoinSet<T> = work.collect();
    set.join_all().await
}
