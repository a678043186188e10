//! Plugins of all makes, ready to be started.

use std::path::PathBuf;

use wharf_proto::{COOKIE_KEY, COOKIE_VALUE};

use crate::COOKIE;
use crate::go_host::Library;
use crate::places::{checkout, has, own_binary, peers};

/// A plugin's program with what belongs on its command line.
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables that it needs whatever host starts it.
    pub env: Vec<(String, String)>,
    /// Its cookie.
    pub cookie: (String, String),
}

impl Program {
    fn new(path: impl Into<PathBuf>, cookie: (&str, &str)) -> Self {
        let (key, value) = cookie;
        let cookie = (key.to_owned(), value.to_owned());
        Self { path: path.into(), args: Vec::new(), env: Vec::new(), cookie }
    }

    /// A plugin on the real Go library.
    pub fn go(library: Library) -> Option<Self> {
        has("go").then(|| Self::new(library.folder().join("go-plugin"), COOKIE))
    }

    /// A plugin on wharf's SDK.
    pub fn wharf() -> Self {
        Self::new(own_binary("wharf-interop-plugin"), COOKIE)
    }

    /// A plugin on grpcio.
    pub fn python() -> Option<Self> {
        has("python").then(|| {
            let program = checkout().join("tests/interop/python/plugin.py");
            let generated = peers().join("python/gen");
            Self::new(peers().join("python/bin/python"), (COOKIE_KEY, COOKIE_VALUE))
                .arg(program.to_string_lossy())
                .variable("PYTHONPATH", generated.to_string_lossy())
                .variable("PYTHONDONTWRITEBYTECODE", "1")
        })
    }

    /// A plugin on `python-plugin`, a port of the Go library to Python.
    pub fn python_plugin() -> Option<Self> {
        has("python").then(|| {
            let program = checkout().join("tests/interop/python/ported.py");
            let generated = peers().join("python/gen");
            Self::new(peers().join("python/bin/python"), COOKIE)
                .arg(program.to_string_lossy())
                .variable("PYTHONPATH", generated.to_string_lossy())
                .variable("PYTHONDONTWRITEBYTECODE", "1")
        })
    }

    /// A plugin on grpc-js.
    pub fn node() -> Option<Self> {
        has("node").then(|| {
            let root = checkout();
            let program = peers().join("node/plugin.js");
            let protos = [root.join("tests/interop/proto"), root.join("proto")];
            let protos = protos.map(|folder| folder.to_string_lossy().into_owned()).join(":");
            Self::new("node", (COOKIE_KEY, COOKIE_VALUE))
                .arg(program.to_string_lossy())
                .variable("INTEROP_PROTO", protos)
        })
    }

    /// One of the notifiers of Debian's crowdsec, which are plugins on go-plugin 1.0.1.
    pub fn crowdsec(name: &str) -> Option<Self> {
        has("crowdsec").then(|| {
            let folder = peers().join("crowdsec/usr/lib/crowdsec/plugins");
            Self::new(folder.join(name), ("CROWDSEC_PLUGIN_KEY", "any value will do"))
        })
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// One more variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }
}

/// Python with the libraries of these tests, and the folder of generated code.
pub fn python() -> Option<(PathBuf, PathBuf)> {
    has("python").then(|| (peers().join("python/bin/python"), peers().join("python/gen")))
}
