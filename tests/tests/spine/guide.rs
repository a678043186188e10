//! The author's guide, as a newcomer follows it: its commands are run in their order, by a shell, and print what the
//! guide shows. Times, sizes and addresses may differ.

use std::fs;
use std::path::Path;

use wharf_tests::wharf::program;
use wharf_tests::{TestHost, Upstream};

/// What the guide calls the upstream and the server.
const UPSTREAM: &str = "http://cook.example/";
const SERVER: &str = "127.0.0.1:8080";

/// A command of the guide, with what it prints, or a comment that says what happens meanwhile.
enum Step {
    Install(String),
    Command { line: String, output: String },
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of it")
}

/// The steps: blocks of `console`, and comments `<!-- install NAME -->`.
fn steps() -> Vec<Step> {
    let guide = fs::read_to_string(checkout().join("sdk/rust/GUIDE.md")).expect("the guide");
    let mut steps = Vec::new();
    let mut inside = false;
    for line in guide.lines() {
        let install = line.strip_prefix("<!-- install ").and_then(|it| it.strip_suffix(" -->"));
        if let Some(name) = install {
            steps.push(Step::Install(name.to_owned()));
        } else if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(line), _) => {
                    steps.push(Step::Command { line: line.to_owned(), output: String::new() });
                }
                (None, Some(Step::Command { output, .. })) => {
                    output.push_str(line);
                    output.push('\n');
                }
                (None, _) => panic!("output without a command: {line}"),
            }
        }
    }
    steps
}

/// Without what differs from run to run: how long something took, how large it is, how wide columns are.
fn settled(text: &str) -> String {
    let lines = text.trim().lines().map(|line| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let sized = words.iter().position(|word| word.starts_with("KiB"));
        if let Some(number) = sized.and_then(|unit| words.get_mut(unit.checked_sub(1)?)) {
            *number = "some";
        }
        let line = words.join(" ");
        match line.rsplit_once(" (") {
            Some((before, took)) if took.ends_with("s)") || took.contains("s, ") => {
                before.to_owned()
            }
            _ => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_commands_of_the_guide_print_what_it_shows() {
    let kitchen = checkout().join("sdk/rust/examples/recipes/kitchen");
    let upstream = Upstream::of(&kitchen);
    let mut host = TestHost::new();
    fs::remove_dir_all(host.plugins().join("file")).expect("a newcomer has one plugin");
    let desk = host.folder().join("desk");
    fs::create_dir(&desk).expect("a folder");
    let wharf = program("wharf");
    let (mut address, mut commands, mut different) = (SERVER.to_owned(), 0, Vec::new());
    for step in steps() {
        let (line, shown) = match step {
            Step::Install(name) => {
                let _nothing_yet = fs::remove_dir_all(host.plugins());
                host.install(&name);
                continue;
            }
            Step::Command { line, output } => (line, output),
        };
        commands += 1;
        if line.starts_with("wharf serve") {
            host.serve();
            host.server().content().clone_into(&mut address);
            continue;
        }
        if line == "kill %1" {
            host.stop_server();
            continue;
        }
        let real = line.replace(UPSTREAM, &upstream.url("")).replace(SERVER, &address);
        let (desk, bin) = (desk.display(), wharf.parent().expect("a folder").display());
        let script = format!("unset WHARF_LOG; PATH={bin}:$PATH; cd {desk} && {{ {real}; }} 2>&1");
        let run = host.start_program(Path::new("/bin/sh"), &["-c", &script]).wait();
        let printed = run.stdout.replace(&upstream.url(""), UPSTREAM).replace(&address, SERVER);
        if settled(&printed) != settled(&shown) {
            different.push(format!("$ {line}\n{printed}"));
        }
    }
    host.finish();
    assert!(commands > 20, "the guide has lost its commands");
    assert!(different.is_empty(), "the guide shows something else of:\n{}", different.join("\n"));
}
