//! `wharf plugin probe` on plugins that nobody here wrote.

use std::process::Command;

use serde_json::Value;
use wharf_interop::{Library, Program, World, own_binary, processes};

fn probe(world: &World, plugin: &Program, arguments: &[&str]) -> Value {
    let (mark, value) = world.mark();
    let (key, cookie) = &plugin.cookie;
    let mut command = Command::new(own_binary("wharf"));
    command.args(["plugin", "probe", "--output", "json"]).args(arguments);
    command.arg("--cookie").arg(format!("{key}={cookie}")).arg(&plugin.path);
    command.arg("--").args(&plugin.args);
    command.env("TMPDIR", world.path()).env(mark, value);
    command.envs(plugin.env.iter().map(|(name, value)| (name, value)));
    let output = processes::output(&mut command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{plugin:?}: {said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(text.trim().lines().last().unwrap()).unwrap();
    last["probe"].clone()
}

// H53
#[test]
fn a_go_plugin_is_told_apart_by_what_its_library_offers() {
    for (library, mux, reflection) in [(Library::Current, true, true), (Library::Old, false, false)]
    {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let report = probe(&world, &go, &["--multiplex"]);
        assert_eq!((&report["core_protocol"], &report["app_protocol"]), (&1.into(), &1.into()));
        assert_eq!((&report["tls"]["on"], &report["health"]), (&true.into(), &"SERVING".into()));
        assert_eq!(report["tls"]["key"], "ECDSA P-521");
        assert_eq!(report["multiplexing"]["answered"], mux, "{report:#}");
        assert_eq!(!report["reflection"].is_null(), reflection, "{report:#}");
        assert_eq!((&report["broker"], &report["controller"]), (&true.into(), &true.into()));
        assert_eq!(report["stdio"], mux, "1.0.1 has none");
        assert_eq!(report["stop"]["step"], "shutdown", "{report:#}");
        world.finish_beside_others();
    }
}

// X2, X3
#[test]
fn plugins_in_other_languages_and_of_others_are_probed() {
    let plugins = [Program::python(), Program::node(), Program::crowdsec("dummy")];
    for plugin in plugins.into_iter().flatten() {
        let world = World::new();
        let report = probe(&world, &plugin, &[]);
        assert_eq!((&report["tls"]["on"], &report["health"]), (&true.into(), &"SERVING".into()));
        assert_eq!(report["stop"]["step"], "shutdown", "{report:#}");
        world.finish_beside_others();
    }
}
