//! What can be typed, and what the help says.

use clap::{CommandFactory, Parser};

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn refused(line: &str) {
    let error = parse(line).expect_err(line);
    assert_eq!(error.exit_code(), 2, "{line}");
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_help_text_reads_as_it_was_approved() {
    let mut text = String::new();
    let mut root = Cli::command().term_width(80);
    root.build();
    add_help(&mut text, root, "wharf");
    // No text of the checkout names the public index.
    let text = text.replace(concat!("https://pypi", ".org/simple/"), "THE INDEX");
    insta::assert_snapshot!(text);
}

fn add_help(text: &mut String, mut command: clap::Command, path: &str) {
    let subcommands: Vec<clap::Command> = command.get_subcommands().cloned().collect();
    let help = command.render_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    text.push_str(&["### ", path, "\n\n", &help.join("\n"), "\n\n"].concat());
    for subcommand in subcommands {
        let path = format!("{path} {}", subcommand.get_name());
        add_help(text, subcommand, &path);
    }
}

#[test]
fn a_bare_noun_lists_and_plurals_are_understood() {
    assert!(matches!(parse("wharf repo").unwrap().command, Command::Repo { command: None }));
    assert!(matches!(parse("wharf repos").unwrap().command, Command::Repo { command: None }));
    assert!(matches!(parse("wharf plugins").unwrap().command, Command::Plugin { command: None }));
    let Command::Job { command: Some(JobCommand::List(list)) } =
        parse("wharf jobs list --repo a --state failed").unwrap().command
    else {
        panic!("not a list");
    };
    assert_eq!((list.repo.as_deref(), list.state.as_deref()), (Some("a"), Some("failed")));
}

#[test]
fn global_options_stand_before_and_after_the_command() {
    let before = parse("wharf --data /d --output json -q job").unwrap().global;
    let after = parse("wharf job list --data /d --output json -q").unwrap().global;
    for global in [before, after] {
        assert_eq!(global.data.as_deref(), Some(std::path::Path::new("/d")));
        assert_eq!((global.output, global.quiet), (Format::Json, true));
    }
}

#[test]
fn settings_are_split_at_the_first_equals_sign() {
    let line = "wharf attach r file.importer --set url=http://h/?a=b --set empty=";
    let Command::Attach(attach) = parse(line).unwrap().command else { panic!("not attach") };
    let pairs: Vec<(&str, &str)> =
        attach.settings.iter().map(|set| (set.key.as_str(), set.value.as_str())).collect();
    assert_eq!(pairs, [("url", "http://h/?a=b"), ("empty", "")]);
}

#[test]
fn waiting_is_the_default_and_the_last_word_counts() {
    for (line, expected) in [
        ("wharf sync r", true),
        ("wharf sync r --no-wait", false),
        ("wharf sync r --no-wait --wait", true),
        ("wharf sync r --wait --no-wait", false),
    ] {
        let Command::Sync(sync) = parse(line).unwrap().command else { panic!("not sync") };
        assert_eq!(sync.waiting.stays(), expected, "{line}");
    }
}

#[test]
fn nonsense_ends_with_status_2() {
    refused("wharf");
    refused("wharf nonsense");
    refused("wharf attach r file.importer --set url");
    refused("wharf attach r file.importer --set =x");
    refused("wharf job show 0");
    refused("wharf job list --state done");
    refused("wharf mirror file r");
    refused("wharf serve --listen nowhere");
    refused("wharf publish r --version latest");
}
