//! Hosts with every kind of key, played by Python's ssl: what wharf's plugin and Go's take.

use std::process::Command;

use wharf_interop::{Library, Program, World, processes, python};

/// Starts the plugin with a host certificate of this kind, and dials it as that host. What comes of it, in a word.
fn dial(world: &World, plugin: &Program, kind: &str) -> Option<String> {
    let (python, generated) = python()?;
    let (mark, value) = world.mark();
    let mut command = Command::new(python);
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/dial.py"))
        .arg(kind)
        .arg(&plugin.path)
        .args(&plugin.args)
        .env(&plugin.cookie.0, &plugin.cookie.1)
        .env("PYTHONPATH", generated)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TMPDIR", world.path())
        .env(mark, value);
    let output = processes::output(&mut command);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{kind}: {wrong}");
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

// H55, P30
#[test]
fn host_certificates_of_every_kind_are_taken() {
    // H55: whatever kind wharf's host would choose, Go takes it; what it does choose is P-256.
    let plugins =
        [Some(Program::wharf()), Program::go(Library::Current), Program::go(Library::Old)];
    for plugin in plugins.into_iter().flatten() {
        for key in ["p256", "p384", "p521", "ed25519", "rsa2048"] {
            for ca in ["ca", "leaf"] {
                let world = World::new();
                let kind = format!("{key},{ca}");
                let Some(word) = dial(&world, &plugin, &kind) else { return };
                assert_eq!(word, "TLSv1.3 h2 SETTINGS", "{} {kind}", plugin.path.display());
                world.finish_killed();
            }
        }
    }
}

// P29
#[test]
fn another_certificate_than_the_hosts_is_refused() {
    for plugin in [Some(Program::wharf()), Program::go(Library::Current)].into_iter().flatten() {
        for kind in ["p256,leaf,other", "p256,leaf,none", "p256,ca,other"] {
            let world = World::new();
            let Some(word) = dial(&world, &plugin, kind) else { return };
            assert_eq!(word, "refused", "{} {kind}", plugin.path.display());
            world.finish_killed();
        }
    }
}

// P31
#[test]
fn callers_without_alpn_or_with_tls_1_2_get_a_clear_answer() {
    let world = World::new();
    let plugin = Program::wharf();
    let Some(word) = dial(&world, &plugin, "p256,leaf,no-alpn") else { return };
    // Go hosts of 2019 offer h2 too, but their library does not insist on it.
    assert!(["TLSv1.3 none SETTINGS", "refused"].contains(&word.as_str()), "{word}");
    let word = dial(&world, &plugin, "p256,leaf,tls1.2").unwrap();
    assert_eq!(word, "refused", "wharf speaks TLS 1.3 only");
    world.finish_killed();
}
