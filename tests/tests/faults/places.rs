//! Where plugins lie: who could change them, and who runs a host that was built in a checkout.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;
use wharf_tests::{Run, TestHost, wharf};

/// The file plugin's, in its folder.
const PROGRAM: &str = "bin/wharf-plugin-file";

/// `nobody` on every Linux.
const NOBODY: u32 = 65_534;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
}

/// What `wharf plugin list` says about a plugin.
fn listed(host: &TestHost, name: &str) -> Value {
    find(&host.ok(&["plugin", "list"]), name)
}

fn find(list: &Value, name: &str) -> Value {
    let plugins = list["plugins"].as_array().expect("a list");
    plugins.iter().find(|plugin| plugin["name"] == name).expect("it is listed").clone()
}

fn says(plugin: &Value, field: &str, words: &[&str]) {
    let text = plugin[field].as_str().unwrap_or_default();
    assert!(words.iter().all(|word| text.contains(word)), "{words:?} in {plugin:#}");
}

// F7
#[test]
fn f7_a_plugin_that_everybody_can_change_is_listed_as_broken_and_not_started() {
    let host = TestHost::new();
    host.install_handshake(&["silent"]);
    let folder = host.plugins().join("handshake");
    let shown = folder.display().to_string();
    mode(&folder, 0o777);
    let plugin = listed(&host, "handshake");
    assert_eq!(plugin["state"], "broken", "{plugin:#}");
    says(&plugin, "reason", &[&shown, "mode 0777", "`chmod o-w`"]);
    host.ok(&["repo", "create", "odd"]);
    let run = host.wharf(&["attach", "odd", "handshake.importer"]);
    run.ended(2, "policy").says(&[&shown, "mode 0777"]);
    let people = host.wharf(&["--output", "text", "plugin", "list"]);
    assert!(people.stdout.contains("broken") && people.stdout.contains("0777"), "{people:#?}");

    mode(&folder, 0o755);
    let program = folder.join("run.sh");
    fs::rename(&program, host.folder().join("run.sh")).expect("our own file");
    symlink(host.folder().join("run.sh"), &program).expect("our own folder");
    says(&listed(&host, "handshake"), "reason", &[&format!("{shown}/run.sh (mode"), "symlink"]);
    // The others are not touched by that.
    host.repository("tools", &[("file.distributor", &[])]);
    host.finish();
}

// F7, F64
#[test]
fn f7_it_is_looked_at_again_before_a_start() {
    let mut host = TestHost::new();
    host.serve();
    let program = host.plugins().join("file").join(PROGRAM);
    // It shares its mode with the one of the build.
    let copy = host.folder().join("copy");
    fs::copy(&program, &copy).expect("a copy");
    fs::rename(&copy, &program).expect("our own folder");
    mode(&program, 0o757);
    host.ok(&["repo", "create", "tools"]);
    let run = host.wharf(&["attach", "tools", "file.distributor"]);
    run.ended(2, "policy").says(&[&program.display().to_string(), "mode 0757", "`chmod o-w`"]);
    let plugin = listed(&host, "file");
    assert_eq!(plugin["pids"], Value::Array(Vec::new()), "{plugin:#}");
    says(&plugin, "last_failure", &["mode 0757"]);
    mode(&program, 0o755);
    host.attach("tools", "file.distributor", &[]);
    host.finish();
}

/// A built checkout, with nothing else installed.
struct Checkout {
    host: TestHost,
}

impl Checkout {
    fn new() -> Self {
        let host = TestHost::new();
        let checkout = Self { host };
        let programs = checkout.path("target/debug");
        fs::create_dir_all(&programs).expect("a folder");
        fs::write(checkout.path("Cargo.toml"), "").expect("a file");
        for name in ["wharf", "wharf-launch", "wharf-plugin-file"] {
            fs::copy(wharf::program(name), programs.join(name)).expect("a copy");
        }
        let plugins = checkout.host.plugins();
        fs::create_dir(checkout.path("plugins")).expect("a folder");
        fs::rename(plugins.join("file"), checkout.path("plugins/file")).expect("our own folder");
        let installed = checkout.path("plugins/file").join(PROGRAM);
        fs::remove_file(installed).expect("our own file");
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.host.folder().join("checkout").join(name)
    }

    /// Gives all of it away.
    fn give(&self, user: u32) {
        let mut folders = vec![self.path("")];
        while let Some(folder) = folders.pop() {
            chown(&folder, Some(user), Some(user)).expect("we are root");
            for entry in fs::read_dir(&folder).expect("a folder").flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    chown(entry.path(), Some(user), Some(user)).expect("we are root");
                }
            }
        }
    }

    /// As `umask` 002 leaves it.
    fn for_groups(&self) {
        let folders = ["", "target", "target/debug", "plugins", "plugins/file"];
        for name in
            folders.into_iter().chain(["target/debug/wharf", "target/debug/wharf-plugin-file"])
        {
            mode(&self.path(name), 0o775);
        }
        mode(&self.path("plugins/file/plugin.json"), 0o664);
    }

    /// Runs its own program, as another user if one is given.
    fn run(&self, user: Option<u32>, arguments: &[&str]) -> Run {
        let program = self.path("target/debug/wharf").display().to_string();
        let ids = user.map(|user| [format!("--reuid={user}"), format!("--regid={user}")]);
        let mut line: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
        if user.is_some() {
            line.splice(0..0, ["setpriv"]);
            line.push("--clear-groups");
        }
        line.push(&program);
        line.extend(["--output", "json"]);
        line.extend(arguments);
        let (first, rest) = line.split_first().expect("it has a program");
        self.host.start_program(Path::new(first), rest).wait()
    }

    /// It finds its plugin and starts it.
    fn works(&self, user: Option<u32>) {
        let run = self.run(user, &["plugin", "list"]);
        let plugin = find(&run.json, "file");
        assert_eq!(
            (&plugin["state"], &plugin["reason"]),
            (&"stopped".into(), &Value::Null),
            "{run:#?}"
        );
        let name = format!("tools-{}", user.unwrap_or_default());
        assert_eq!(self.run(user, &["repo", "create", &name]).status, 0);
        let run = self.run(user, &["attach", &name, "file.distributor"]);
        assert_eq!(run.status, 0, "{run:#?}");
    }
}

// F7
#[test]
fn f7_a_checkout_works_for_groups_and_wherever_it_may_lie() {
    let checkout = Checkout::new();
    checkout.for_groups();
    mode(checkout.host.folder(), 0o1777);
    checkout.works(None);
    mode(&checkout.path("plugins"), 0o777);
    let plugin = find(&checkout.run(None, &["plugin", "list"]).json, "file");
    says(&plugin, "reason", &["checkout/plugins (mode 0777, "]);
    checkout.host.finish();
}

// F7
#[test]
fn f7_a_checkout_works_for_root_and_for_others_whoever_owns_it() {
    // Only root can be somebody else.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let checkout = Checkout::new();
    // Others come through to it, and have data of their own.
    mode(checkout.host.folder(), 0o1777);
    mode(&checkout.host.temporary(), 0o1777);
    fs::remove_dir_all(checkout.host.data()).ok();
    fs::create_dir(checkout.host.data()).expect("a folder");
    chown(checkout.host.data(), Some(NOBODY), Some(NOBODY)).expect("we are root");
    checkout.works(Some(NOBODY));
    fs::remove_dir_all(checkout.host.data()).expect("a folder");
    fs::remove_dir_all(checkout.host.runtime()).expect("a folder");
    // Root runs what an ordinary user built in his checkout.
    checkout.give(NOBODY);
    checkout.for_groups();
    checkout.works(None);
    // What he owns beside another host is none of root's.
    let plugins = checkout.host.plugins();
    fs::remove_dir_all(&plugins).ok();
    fs::rename(checkout.path("plugins"), &plugins).expect("our own folder");
    let plugin = listed(&checkout.host, "file");
    says(&plugin, "reason", &["/plugins (mode 0775, owner nobody) belongs to another user"]);
    checkout.host.finish();
}
