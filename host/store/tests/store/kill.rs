//! A process that stores is killed at any moment; what it acknowledged is there, and whole (I2, I6, F165).

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use wharf_store::Store;
use wharf_store::model::{
    Digest, JobId, JobState, NewArtifact, NewFile, NewUnit, Staged, UnitQuery, VersionMode,
    canonical_key,
};

use crate::support::{definition, lease, repository};

const FOLDER: &str = "WHARF_TEST_STORE";
const FILES: usize = 12;

fn setting(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value| value.into_string().ok())
}

/// Not a test of its own: the process that is killed. Stores files and versions until then, and says which.
#[tokio::test]
#[ignore = "started by the test below"]
async fn child() {
    let Some(folder) = setting(FOLDER) else { return };
    let store = Store::open(Path::new(&folder)).await.unwrap();
    store.blobs.clean().await.unwrap();
    store.meta.recover().await.unwrap();
    let type_id = store.meta.type_by_name("file").await.unwrap().unwrap().id;
    loop {
        let demo = store.meta.repository("demo").await.unwrap().unwrap();
        let importer = store.meta.attachments(demo.id).await.unwrap()[0].id;
        let lease = match store.meta.queued().await.unwrap().first() {
            Some(job) => store.meta.claim(job.id).await.unwrap().1,
            None => lease(&store, "sync", demo.id, importer).await,
        };
        let work = store.blobs.job_folder(lease.job).await.unwrap();
        let (mut staged, mut units, mut artifacts) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..FILES {
            let name = format!("{}-{n}", demo.current_version);
            let bytes = name.repeat(50 * n);
            let digest = Digest::of(bytes.as_bytes());
            let size = bytes.len() as u64;
            let path = work.join(&name);
            std::fs::write(&path, &bytes).unwrap();
            staged.push(Staged { path, digest, size });
            artifacts.push(NewArtifact { digest, size });
            let key = format!("{{\"path\":\"{name}\"}}");
            let key = canonical_key(&definition(), &key, "{}", Some(&digest)).unwrap();
            units.push(NewUnit {
                type_id,
                key: key.text,
                key_digest: key.digest,
                repo_key: key.repo_key,
                attributes: "{}".to_owned(),
                files: vec![NewFile {
                    path: name.parse().unwrap(),
                    sha256: Some(digest),
                    size: Some(size),
                    media_type: String::new(),
                    digests: Vec::new(),
                    sources: Vec::new(),
                }],
            });
        }
        store.blobs.adopt(staged).await.unwrap();
        let saved = store.meta.save_units(lease, demo.id, units, artifacts).await.unwrap();
        let commit = wharf_store::model::CommitVersion {
            repository: demo.id,
            base: demo.current_version,
            mode: VersionMode::Additive,
            present: saved.iter().map(|saved| (saved.unit, None)).collect(),
            removed: Vec::new(),
            info: String::new(),
            attachment: Some(importer),
            state: Some(demo.current_version.to_string().into_bytes()),
            outcome: "succeeded".to_owned(),
            settings_digest: String::new(),
        };
        let committed = store.meta.commit_version(lease, commit).await.unwrap();
        let number = committed.version.unwrap();
        writeln!(std::io::stdout(), "\nversion {number}").unwrap();
        let end =
            wharf_store::model::JobEnd { state: JobState::Succeeded, problem: None, result: None };
        store.meta.finish(lease, end).await.unwrap();
        store.blobs.remove_job_folder(lease.job).await.unwrap();
        writeln!(std::io::stdout(), "\nfinished {}", lease.job).unwrap();
    }
}

/// What the killed process had acknowledged.
#[derive(Default)]
struct Acknowledged {
    version: u64,
    jobs: BTreeSet<i64>,
}

/// Lets a process store, kills it after so many answers and a moment, and collects all that it answered.
#[expect(clippy::disallowed_methods, reason = "this very test, as a process that can be killed")]
fn run_and_kill(folder: &Path, answers: usize, moment: Duration, known: &mut Acknowledged) {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["kill::child", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut note = |line: &str| match line.split_once(' ') {
        Some(("version", number)) => number.parse().map(|number| known.version = number).is_ok(),
        Some(("finished", job)) => job.parse().map(|job| known.jobs.insert(job)).is_ok(),
        _ => false,
    };
    let mut left = answers;
    while left > 0 {
        let line = lines.next().expect("the process lives until it is killed").unwrap();
        left -= usize::from(note(&line));
    }
    // The moment of the kill is the fault that is tried, not a wait for anything.
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines.map_while(Result::ok) {
        note(&line);
    }
}

async fn check(folder: &Path, known: &Acknowledged) {
    let store = Store::open(folder).await.unwrap();
    store.blobs.clean().await.unwrap();
    assert_eq!(std::fs::read_dir(folder.join("work")).unwrap().count(), 0);
    for job in store.meta.recover().await.unwrap() {
        assert!(matches!(job.state, JobState::Queued | JobState::Failed), "{job:?}");
    }
    assert_eq!(store.meta.recover().await.unwrap(), []);
    let demo = store.meta.repository("demo").await.unwrap().unwrap();
    assert!(demo.current_version >= known.version, "an acknowledged version is lost");
    for job in &known.jobs {
        let job = store.meta.job(JobId(*job)).await.unwrap().expect("an acknowledged job is lost");
        assert_eq!(job.state, JobState::Succeeded);
    }
    let versions = store.meta.versions(demo.id).await.unwrap();
    assert_eq!(versions.len() as u64, demo.current_version + 1);
    for version in &versions {
        assert_eq!(version.units, version.number * FILES as u64);
    }
    let query = UnitQuery { with_files: true, limit: 100_000, ..UnitQuery::default() };
    let units = store.meta.units(demo.id, demo.current_version, query).await.unwrap();
    assert_eq!(units.len() as u64, demo.units);
    for file in units.iter().flat_map(|unit| &unit.files) {
        assert!(file.present, "{}", file.path);
        let digest = file.sha256.unwrap();
        let (blob, size) = store.blobs.open_blocking(digest).unwrap().expect("a blob is lost");
        assert_eq!(Some(size), file.size);
        assert_eq!(wharf_store::blobs::hash(blob).unwrap().0, digest, "{}", file.path);
    }
    store.close().await;
}

#[test]
fn f79_f80_f165_a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let rounds = setting("WHARF_ROUNDS").and_then(|rounds| rounds.parse().ok()).unwrap_or(25);
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(folder.path()).await.unwrap();
        store.meta.register_types("file", "1.0.0", vec![definition()]).await.unwrap();
        repository(&store, "demo").await;
        store.close().await;
    });
    let mut known = Acknowledged::default();
    for round in 0..rounds {
        let moment = Duration::from_micros((round * 7_919) % 15_000);
        let answers = usize::try_from(1 + round % 4).unwrap();
        run_and_kill(folder.path(), answers, moment, &mut known);
        runtime.block_on(check(folder.path(), &known));
    }
    assert!(known.version > 0);
}
