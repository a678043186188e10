//! The author's guide shows code that is compiled and tested: every piece of it stands in the example as it is.

use crate::files::{all, none, text};

const GUIDE: &str = "sdk/rust/GUIDE.md";

/// Where the code of the guide comes from.
const SOURCES: &[&str] =
    &["sdk/rust/examples/recipes/", "sdk/rust/examples/recipes-1/", "sdk/rust/tests/recipes.rs"];

#[test]
fn what_the_guide_shows_stands_in_the_example() {
    let sources: Vec<String> = all("")
        .into_iter()
        .filter(|path| SOURCES.iter().any(|source| path.starts_with(source)))
        .map(|path| text(&path))
        .collect();
    assert!(sources.len() > 10, "the example is not where it was");
    let guide = text(GUIDE);
    let blocks: Vec<&str> = guide
        .split("\n```")
        .filter_map(|block| block.split_once('\n'))
        .filter(|(language, _code)| language.starts_with("rust") || *language == "json")
        .map(|(_language, code)| code)
        .collect();
    assert!(blocks.len() > 10, "the guide shows no code any more");
    let strange: Vec<String> = blocks
        .into_iter()
        .filter(|code| !sources.iter().any(|source| source.contains(code)))
        .map(str::to_owned)
        .collect();
    none("the guide shows code that the example does not have", &strange);
}
