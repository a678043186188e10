//! An upstream for authors of plugins: one folder, served properly and in every wrong way, by the path's first word.
//!
//! `/` tells what there is. Without a folder of the author's own there is a made-up one. Listens where it is told,
//! which should be loopback; what it sends is wrong on purpose.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::units::sha256;
use crate::upstream::{Plan, Seen, Trick, Upstream};

/// How much comes before it goes wrong.
const SOME: usize = 64;
const DRIP: Duration = Duration::from_millis(100);
const ENDLESS: u64 = 1 << 34;
/// What the bomb unpacks to.
const BOMB: usize = 256 << 20;
const BLOCK: usize = 1 << 20;

/// First words of paths, and what becomes of the file behind them.
const WAYS: &[(&str, &str)] = &[
    ("good", "as a good server does: length, ETag, Last-Modified, ranges"),
    ("plain", "without validators and ranges"),
    ("truncate", "the whole length is announced, the connection ends after 64 bytes"),
    ("stall", "the whole length is announced, nothing comes after 64 bytes"),
    ("hold", "nothing comes at all"),
    ("drip", "64 bytes every 100 ms"),
    ("hang-up", "the connection ends without an answer"),
    ("short", "8 bytes less than the file has, and announced so"),
    ("long", "8 bytes more than the file has, and announced so"),
    ("wrong-bytes", "other bytes of the right length: no digest fits"),
    ("endless", "no length, and no end before 16 GiB"),
    ("bomb", "gzip (Content-Encoding) of some 250 KiB that unpacks to 256 MiB"),
    ("type", "Content-Type: application/x-wrong"),
    ("circle", "a redirect to itself"),
    ("inward", "a redirect to http://169.254.169.254/, an address of the inside"),
    ("busy/N", "429 with Retry-After: 1, N times, then as good"),
    ("error/N", "503, N times, then as good"),
    ("broken", "500"),
    ("forbidden", "403"),
    ("unauthorized", "401"),
    ("gone", "410"),
];

/// A running testbed. Dropping it ends it.
pub struct Testbed {
    server: Upstream,
    _made_up: Option<TempDir>,
}

impl Testbed {
    /// Serves `folder`, or made-up files.
    ///
    /// # Errors
    /// Nothing can listen there, or the files cannot be made.
    pub fn start(address: SocketAddr, folder: Option<&Path>) -> io::Result<Self> {
        let made_up = folder.is_none().then(made_up).transpose()?;
        let root = folder.or(made_up.as_ref().map(TempDir::path)).unwrap_or(Path::new("."));
        let files = files(root)?;
        let counts: Mutex<HashMap<String, u32>> = Mutex::default();
        let choose = move |seen: &Seen| {
            let turn = |path: &str, most: u32| {
                let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                let count = counts.entry(path.to_owned()).or_default();
                *count = count.saturating_add(1);
                *count <= most
            };
            plan(&seen.path, turn).unwrap_or_else(|| Plan::Text(index(&files)))
        };
        let server = Upstream::serve(root, address, choose)?;
        Ok(Self { server, _made_up: made_up })
    }

    /// `http://ADDRESS/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.server.address())
    }
}

/// None: the path has no such word.
fn plan(path: &str, mut turn: impl FnMut(&str, u32) -> bool) -> Option<Plan> {
    let (word, rest) = path.split_once('/')?;
    let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let trick = match word {
        "good" => None,
        "plain" => Some(Trick::Plain),
        "truncate" => Some(Trick::Cut(SOME)),
        "stall" => Some(Trick::Stall(SOME)),
        "hold" => Some(Trick::Hold),
        "drip" => Some(Trick::Drip(SOME, DRIP)),
        "hang-up" => Some(Trick::HangUp),
        "short" => Some(Trick::Short(8)),
        "long" => Some(Trick::Long(8)),
        "wrong-bytes" => Some(Trick::WrongBytes),
        "endless" => Some(Trick::Endless(ENDLESS)),
        "bomb" => Some(Trick::Packed(PACKED.clone())),
        "type" => Some(Trick::Headers(header("Content-Type", "application/x-wrong"))),
        "circle" => Some(Trick::Redirect(format!("/{path}"))),
        "inward" => Some(Trick::Redirect("http://169.254.169.254/latest/meta-data/".to_owned())),
        "broken" => Some(Trick::Status(500, Vec::new())),
        "forbidden" => Some(Trick::Status(403, Vec::new())),
        "unauthorized" => {
            Some(Trick::Status(401, header("WWW-Authenticate", "Basic realm=\"testbed\"")))
        }
        "gone" => Some(Trick::Status(410, Vec::new())),
        "busy" | "error" => return counted(path, word, rest, &mut turn),
        _ => return None,
    };
    Some(Plan::File { path: rest.to_owned(), trick })
}

fn counted(
    path: &str,
    word: &str,
    rest: &str,
    turn: &mut impl FnMut(&str, u32) -> bool,
) -> Option<Plan> {
    let (times, rest) = rest.split_once('/')?;
    let times = times.parse().ok()?;
    let again = vec![("Retry-After".to_owned(), "1".to_owned())];
    let (status, headers) = if word == "busy" { (429, again) } else { (503, Vec::new()) };
    let trick = turn(path, times).then_some(Trick::Status(status, headers));
    Some(Plan::File { path: rest.to_owned(), trick })
}

/// What there is, for people.
fn index(files: &[String]) -> String {
    let mut text =
        "An upstream that misbehaves, by the first word of the path: /WORD/FILE\n\n".to_owned();
    for (word, about) in WAYS {
        // A String takes everything.
        let _written = writeln!(text, "  {word:<14} {about}");
    }
    text.push_str("\nFiles, counts of busy and error begin anew at each start:\n\n");
    for file in files {
        let _written = writeln!(text, "  {file}");
    }
    text
}

/// Some of the files, for the index.
fn files(root: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(root)?.flatten().take(50);
    let mut names: Vec<String> = entries
        .map(|entry| {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            format!(
                "{}{}",
                entry.file_name().to_string_lossy(),
                if is_folder { "/..." } else { "" }
            )
        })
        .collect();
    names.sort();
    Ok(names)
}

/// Two files, and a list of them as `wharf.file` reads it.
fn made_up() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("testbed-").tempdir()?;
    let data: Vec<u8> = (0..64_u32 << 10).flat_map(u32::to_le_bytes).collect();
    let list = b"good morning\ngood evening\ngood night\n".repeat(20);
    let mut manifest = String::new();
    for (name, bytes) in [("data.bin", data.as_slice()), ("list.txt", list.as_slice())] {
        fs::write(folder.path().join(name), bytes)?;
        // A String takes everything.
        let _written = writeln!(manifest, "{name},{},{}", sha256(bytes), bytes.len());
    }
    fs::write(folder.path().join("PULP_MANIFEST"), manifest)?;
    Ok(folder)
}

/// Made when it is first asked for: it takes a moment. Empty if there is no memory for it.
static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| bomb(BOMB).unwrap_or_default());

fn bomb(size: usize) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let block = vec![0; BLOCK];
    for _ in 0..size / BLOCK {
        packed.write_all(&block)?;
    }
    packed.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trick(path: &str) -> Option<Trick> {
        match plan(path, |_path, _most| true) {
            Some(Plan::File { trick, .. }) => trick,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn every_way_that_the_index_names_is_there() {
        for (word, _about) in WAYS {
            let path = format!("{}/a/b.txt", word.replace('N', "2"));
            let Some(Plan::File { path: file, trick }) = plan(&path, |_path, _most| true) else {
                panic!("{word}");
            };
            assert_eq!((file.as_str(), trick.is_none()), ("a/b.txt", *word == "good"));
        }
        assert_eq!(plan("", |_, _| true), None);
        assert_eq!(plan("no-such-word/f", |_, _| true), None);
        assert_eq!(trick("circle/f"), Some(Trick::Redirect("/circle/f".to_owned())));
    }

    #[test]
    fn counted_errors_end() {
        let mut left = 2;
        let mut statuses = Vec::new();
        for _ in 0..3 {
            let turn = |_path: &str, most: u32| {
                assert_eq!(most, 2);
                left -= 1;
                left >= 0
            };
            let Some(Plan::File { trick, .. }) = plan("busy/2/f", turn) else { panic!("busy") };
            statuses.push(matches!(trick, Some(Trick::Status(429, _))));
        }
        assert_eq!(statuses, [true, true, false]);
    }

    #[test]
    fn a_bomb_is_small_and_unpacks_to_what_was_promised() {
        let bomb = bomb(8 * BLOCK).unwrap();
        assert!(bomb.len() < BLOCK / 8, "{}", bomb.len());
        let mut all = Vec::new();
        let mut packed = flate2::read::GzDecoder::new(bomb.as_slice());
        assert_eq!(io::Read::read_to_end(&mut packed, &mut all).unwrap(), 8 * BLOCK);
    }
}
