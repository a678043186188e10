//! The everyday verbs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Callbacks, Setting, Span};

/// `wharf demo`
#[derive(Debug, Args)]
#[command(after_help = "\
In a temporary data folder it starts the file plugin, syncs the source,
publishes it, serves it on loopback, downloads every published file, compares
each SHA-256 with the source, and syncs again to show that nothing moves.
Nothing is left behind.

Examples:
  wharf demo                                        the folder you are in
  wharf demo ~/Documents
  wharf demo https://example.org/tools/PULP_MANIFEST
  wharf demo --keep                                 go on serving until Ctrl-C")]
pub(crate) struct Demo {
    /// A folder, or the URL of a PULP_MANIFEST [default: this folder, without target and .git]
    pub(crate) source: Option<String>,
    /// Go on serving afterwards, until interrupted
    #[arg(long)]
    pub(crate) keep: bool,
}

/// `wharf mirror ...`
#[derive(Debug, Subcommand)]
pub(crate) enum Mirror {
    /// Mirror a tree of files from a PULP_MANIFEST or a folder
    File(MirrorFile),
    /// Mirror distributions of an apt repository
    Deb(MirrorDeb),
    /// Mirror projects of a Python package index, for pip and uv
    Pypi(MirrorPypi),
}

/// `wharf mirror pypi`
#[derive(Debug, Args)]
#[command(after_help = "\
Creates the repository when it is missing, attaches the importer and the
distributor, syncs and publishes. Repeating it brings the mirror up to date.
Without --set includes=... the project that is named like the repository is
mirrored. Clients find the index below simple/:
  pip install --index-url http://HOST/content/NAME/simple/ PROJECT

Examples:
  wharf mirror pypi six --from https://index.example.org/simple/
  wharf mirror pypi web --from https://index.example.org/simple/ \\
      --set includes='[\"flask>=3\", \"jinja2\"]' \\
      --set policy=on_demand")]
pub(crate) struct MirrorPypi {
    /// The repository, created when it is missing
    pub(crate) name: String,
    /// The URL of the index; it usually ends in /simple/
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// A setting of the importer; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
}

/// `wharf mirror file`
#[derive(Debug, Args)]
#[command(after_help = "\
Creates the repository when it is missing, attaches the importer and the
distributor, syncs and publishes. Repeating it brings the mirror up to date.

Examples:
  wharf mirror file tools --from https://example.org/tools/PULP_MANIFEST
  wharf mirror file tools --from https://example.org/tools/     the same
  wharf mirror file photos --from ~/Pictures
  wharf mirror file big --from https://example.org/big/ --set policy=on_demand")]
pub(crate) struct MirrorFile {
    /// The repository, created when it is missing
    pub(crate) name: String,
    /// The URL of a manifest, of its folder with a slash at the end, or a local folder
    #[arg(long, value_name = "URL|FOLDER")]
    pub(crate) from: String,
    /// A setting of the importer; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
}

/// `wharf mirror deb`
#[derive(Debug, Args)]
#[command(after_help = "\
Creates the repository when it is missing, attaches the importer and the
distributor, syncs and publishes. Repeating it brings the mirror up to date.

Examples:
  wharf mirror deb tools --from https://example.org/apt --set suites=stable
  wharf mirror deb debian --from https://mirror.example.org/debian \\
      --set suites=bookworm,bookworm-updates --set components=main \\
      --set architectures=amd64 --set policy=on_demand
  wharf mirror deb vendor --from https://example.org/deb/ --set flat=true

Signatures: --set signed_by=@FILE names the keys that upstream must be signed
with, --sign names a key of this host that the mirror is signed with:
  wharf key create main
  wharf mirror deb debian --from https://mirror.example.org/debian \\
      --set suites=bookworm --sign main \\
      --set signed_by=@/usr/share/keyrings/debian-archive-keyring.gpg")]
pub(crate) struct MirrorDeb {
    /// The repository, created when it is missing
    pub(crate) name: String,
    /// The URL of the folder that holds dists and pool
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// A setting of the importer; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
    /// Sign what is published with this key [default: as before, at first not at all]
    #[arg(long, value_name = "KEY")]
    pub(crate) sign: Option<String>,
}

/// `wharf attach`
#[derive(Debug, Args)]
#[command(after_help = "\
The plugin checks the settings first. Attaching the same component again
replaces its settings. A value @FILE is what the file holds, in base64 when it
is no text; write @@ for a value that begins with @.

Examples:
  wharf attach tools file.importer \\
      --set url=https://example.org/tools/PULP_MANIFEST
  wharf attach tools file.distributor --set path=public/tools

Settings of every importer:
  policy         immediate, on_demand or streamed      [default: immediate]
  mode           mirror or additive                    [default: mirror]
  on_file_error  skip, fail or defer                   [default: skip]
  concurrency, rate, auto_publish
  ignore         names or patterns of listed files to leave out
  allow_hosts    hosts of a private network that an index may name
  allow_weak_digests  take what only MD5 or SHA-1 vouches for  [default: false]
Settings of every distributor:
  path           where it is served below /content/    [default: the repository]
  signing_key    a key of `wharf key list`, where the distributor signs
  after          another distributor; publish only what that one has published
Settings of `folder`, which mirrors into a folder of yours:
  path           the folder
  on_conflict    keep-local, overwrite or ask          [default: keep-local]
  on_delete      keep or delete-if-unmodified          [default: keep]")]
pub(crate) struct Attach {
    /// The repository
    pub(crate) name: String,
    /// What to attach; add @INSTANCE to attach one component several times
    #[arg(value_name = "PLUGIN.COMPONENT")]
    pub(crate) component: String,
    /// A setting; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
}

/// `wharf detach`
#[derive(Debug, Args)]
pub(crate) struct Detach {
    /// The repository
    pub(crate) name: String,
    /// What to detach, as `wharf repo show` names it
    #[arg(value_name = "PLUGIN.COMPONENT")]
    pub(crate) component: String,
}

/// Whether a command stays until its job has ended.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Waiting {
    /// Wait for the end of the job (the default)
    #[arg(long, overrides_with = "no_wait")]
    wait: bool,
    /// Leave the job to the running server
    #[arg(long)]
    no_wait: bool,
}

impl Waiting {
    /// Whether to stay.
    pub(crate) fn stays(self) -> bool {
        self.wait || !self.no_wait
    }
}

/// `wharf sync`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wharf sync tools
  wharf sync tools --dry-run        tell what would change
  wharf sync tools --full           look at everything, even what the source calls unchanged
  wharf sync tools --set policy=immediate     bring the bytes too, this time
  wharf sync --all                  every repository, then every folder")]
pub(crate) struct Sync {
    /// The repository
    #[arg(required_unless_present = "all")]
    pub(crate) name: Option<String>,
    /// All repositories at the same time, and then all folders that they are mirrored into
    #[arg(long, conflicts_with_all = ["name", "settings", "urls", "no_wait"])]
    pub(crate) all: bool,
    /// Look at everything again, even what the source calls unchanged
    #[arg(long)]
    pub(crate) full: bool,
    /// Tell what would change and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// A setting of the importer for this run only; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
    /// Who is told.
    #[command(flatten)]
    pub(crate) callbacks: Callbacks,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// `wharf publish`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wharf publish tools
  wharf publish tools --version 3   go back to what version 3 held
  wharf publish tools --through deb.distributor --set xz_preset=9")]
pub(crate) struct Publish {
    /// The repository
    pub(crate) name: String,
    /// The version to publish [default: the current one]
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<u64>,
    /// Publish even when this version is being served already
    #[arg(long)]
    pub(crate) full: bool,
    /// Tell what would be done in folders and do nothing; nothing else is published
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Through this distributor only [default: each one]
    #[arg(long, value_name = "PLUGIN.COMPONENT")]
    pub(crate) through: Option<String>,
    /// A setting of the distributor for this run only; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
    /// Who is told.
    #[command(flatten)]
    pub(crate) callbacks: Callbacks,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// `wharf serve`
#[derive(Debug, Args)]
#[command(after_help = "\
Content is served under http://ADDR/content/. Commands with the same data
folder find the server by themselves, over a private socket. SIGTERM or Ctrl-C
stops it in good order; jobs that run are taken up at the next start. A second
one ends it at once.

Examples:
  wharf serve
  wharf serve --listen 0.0.0.0:80
  wharf --data /srv/wharf serve --listen [::]:8080")]
pub(crate) struct Serve {
    /// Where to serve content; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Do what `wharf gc` does this often; 0: never
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub(crate) gc_every: Span,
    /// Forget jobs, with their logs, so many days after their end; 0: never
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(..=36_500))]
    keep_history: u32,
    /// Places in a queue that plugins enter by its name, where others have one;
    /// may be given several times
    #[arg(long = "queue", value_name = "NAME=PLACES", value_parser = queue)]
    queues: Vec<(String, u64)>,
    /// Keep so much of each disk free when plugins reserve space
    #[arg(long, value_name = "GIB", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=1 << 20))]
    keep_free: u64,
}

fn queue(text: &str) -> Result<(String, u64), String> {
    let read = text.split_once('=').map(|(name, places)| (name, places.parse()));
    match read {
        Some((name, Ok(places))) if !name.is_empty() && places > 0 => Ok((name.to_owned(), places)),
        _ => Err("write NAME=PLACES, as in local=2".to_owned()),
    }
}

impl Serve {
    /// Places of queues by name.
    pub(crate) fn queues(&self) -> BTreeMap<String, u64> {
        self.queues.iter().cloned().collect()
    }

    /// Bytes of a disk that nobody is granted.
    pub(crate) const fn keep_free(&self) -> u64 {
        self.keep_free << 30
    }

    /// How long jobs that have ended are remembered. None: for ever.
    pub(crate) fn history(&self) -> Option<Duration> {
        let days = u64::from(self.keep_history);
        (days > 0).then(|| Duration::from_hours(24 * days))
    }
}
