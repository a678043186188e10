//! The guide shows the examples as they are, and every line of its tables stands in code that is compiled.

const GUIDE: &str = include_str!("../../../../sdk/rust/GO-PLUGIN.md");
const PLUGIN: &str = include_str!("../../../../sdk/rust/examples/kv.rs");
const HOST: &str = include_str!("../../../../host/supervisor/examples/kv-host.rs");

#[test]
fn the_examples_are_shown_whole() {
    for example in [PLUGIN, HOST] {
        let code = example.find("\nuse ").and_then(|start| example.get(start..)).unwrap();
        assert!(GUIDE.contains(code), "the guide shows another text than\n{code}");
    }
}

#[test]
fn what_the_tables_say_is_in_compiled_code() {
    let code: String = GUIDE
        .split("\n```")
        .filter(|block| block.starts_with("rust\n") || block.starts_with("rust,no_run\n"))
        .map(squeezed)
        .collect();
    let rows: Vec<&str> = GUIDE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
        .filter_map(|line| line.trim_end_matches(" |").rsplit_once(" | "))
        .map(|(_go, rust)| rust)
        .collect();
    assert!(rows.len() > 30, "{}", rows.len());
    let lines = rows.iter().flat_map(|row| row.split('`').skip(1).step_by(2));
    let missing: Vec<&str> = lines
        .filter(|line| line.contains('(') && !line.contains("(...)"))
        .filter(|line| !code.contains(&squeezed(&line.replace("\\|", "|"))))
        .collect();
    assert!(missing.is_empty(), "not in the guide's code: {missing:#?}");
}

/// Without blanks, so that it does not matter where lines are broken.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}
