use std::fs;
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::model::LogLevel;

const JOB: JobId = JobId(7);
const SOON: Duration = Duration::from_secs(20);

fn opened(most: u64) -> (tempfile::TempDir, Logs) {
    let data = tempfile::tempdir().unwrap();
    let logs = Logs::open_with(data.path(), most).unwrap();
    (data, logs)
}

fn line(text: &str) -> LogLine {
    let mut line = LogLine::new(5, LogLevel::Info, text);
    line.fields.insert("k".to_owned(), "v\n".to_owned());
    line
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

#[tokio::test]
async fn lines_are_numbered_and_read_from_any_number() {
    let (data, logs) = opened(file::MOST);
    assert_eq!(logs.read(JOB, 0, 10).await.unwrap(), (Vec::new(), 0));
    for block in 0..10_u32 {
        let lines = (0..100).map(|n| line(&format!("{}\n", block * 100 + n))).collect();
        logs.append(JOB, lines).await.unwrap();
    }
    for logs in [logs, Logs::open_in(data.path()).unwrap()] {
        for from in [0_u64, 1, 255, 256, 257, 511, 512, 998] {
            let (lines, next) = logs.read(JOB, from, 2).await.unwrap();
            assert_eq!(texts(&lines), [format!("{from}\n"), format!("{}\n", from + 1)]);
            assert_eq!((lines[0].n, lines[1].n, next), (from, from + 1, from + 2));
            assert_eq!(lines[0].fields["k"], "v\n");
        }
        assert_eq!(logs.read(JOB, 0, 0).await.unwrap().1, 1_000);
        assert_eq!(logs.read(JOB, 5_000, 1).await.unwrap(), (Vec::new(), 1_000));
    }
}

#[tokio::test]
async fn a_line_that_was_cut_off_is_dropped() {
    let (data, logs) = opened(file::MOST);
    logs.append(JOB, vec![line("whole")]).await.unwrap();
    let path = data.path().join("logs/7.log");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"n\":1,\"ms");
    fs::write(&path, &bytes).unwrap();
    let logs = Logs::open_in(data.path()).unwrap();
    assert_eq!(texts(&logs.read(JOB, 0, 9).await.unwrap().0), ["whole"]);
    logs.append(JOB, vec![line("next")]).await.unwrap();
    assert_eq!(texts(&logs.read(JOB, 0, 9).await.unwrap().0), ["whole", "next"]);
    assert!(fs::read_to_string(&path).unwrap().lines().all(|line| line.ends_with('}')));
}

#[tokio::test]
async fn a_full_log_says_so_and_grows_no_more() {
    let (data, logs) = opened(2_000);
    for n in 0..100 {
        logs.append(JOB, vec![line(&n.to_string()), line("x")]).await.unwrap();
    }
    let (lines, next) = logs.read(JOB, 0, 0).await.unwrap();
    assert!(lines.last().unwrap().text.contains("full"));
    assert!(fs::metadata(data.path().join("logs/7.log")).unwrap().len() <= 2_000);
    let logs = Logs::open_with(data.path(), 4_000).unwrap();
    logs.append(JOB, vec![line("more")]).await.unwrap();
    assert_eq!(logs.read(JOB, next, 1).await.unwrap(), (Vec::new(), next));
}

#[tokio::test]
async fn who_follows_is_woken_by_the_next_line() {
    let (_data, logs) = opened(file::MOST);
    logs.append(JOB, vec![line("a")]).await.unwrap();
    timeout(SOON, logs.wait(JOB, 0)).await.unwrap();
    let follower = logs.clone();
    let mut followers = tokio::task::JoinSet::new();
    followers.spawn(async move { follower.wait(JOB, 1).await });
    assert!(timeout(Duration::from_millis(50), logs.wait(JOB, 1)).await.is_err());
    logs.append(JOB, vec![line("b")]).await.unwrap();
    timeout(SOON, followers.join_next()).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn f81_a_log_that_cannot_be_written_is_an_error_with_its_path() {
    let (data, logs) = opened(file::MOST);
    fs::create_dir(data.path().join("logs/7.log")).unwrap();
    let error = logs.append(JOB, vec![line("a")]).await.unwrap_err();
    assert_eq!(error.code(), "storage");
    assert!(error.to_string().contains("7.log"), "{error}");
}

#[tokio::test]
async fn old_logs_go_but_not_those_that_somebody_reads() {
    let (data, logs) = opened(file::MOST);
    for job in [7, 8] {
        logs.append(JobId(job), vec![line("old")]).await.unwrap();
    }
    fs::write(data.path().join("logs/notes.txt"), "not a log").unwrap();
    assert_eq!(logs.remove_older(0, false).await.unwrap(), (0, 0), "none is that old");
    let later = i64::MAX;
    let (count, bytes) = logs.remove_older(later, true).await.unwrap();
    assert_eq!((count, bytes > 0, logs.read(JOB, 0, 0).await.unwrap().1), (2, true, 1));
    let held = logs.log(JOB);
    assert_eq!(logs.remove_older(later, false).await.unwrap().0, 1);
    assert_eq!(logs.read(JOB, 0, 0).await.unwrap().1, 1);
    drop(held);
    assert_eq!(logs.remove_older(later, false).await.unwrap().0, 1);
    assert_eq!(logs.read(JOB, 0, 0).await.unwrap(), (Vec::new(), 0));
    assert!(data.path().join("logs/notes.txt").exists());
}
