//! Searches: exact, by their beginning, in an order, page by page, in one version or in all repositories.

use serde_json::json;
use wharf_store::model::{
    FieldMatch, Match, NewUnit, UnitCursor, UnitOrder, UnitSearch, VersionMode,
};

use crate::support::{Fixture, lease, repository};

fn field(name: &str, is: Match) -> FieldMatch {
    FieldMatch { name: name.to_owned(), is }
}

fn written(name: &str, text: &str) -> FieldMatch {
    field(name, Match::Written(text.to_owned()))
}

/// The paths of what a search finds, three a page.
async fn found(fixture: &Fixture, search: &UnitSearch) -> Vec<String> {
    let mut paths = Vec::new();
    let mut after: Option<UnitCursor> = None;
    loop {
        let page = UnitSearch { after: after.clone(), limit: 3, ..search.clone() };
        let page = fixture.store.meta.search(page).await.unwrap();
        let Some(last) = page.last() else { return paths };
        after = Some(last.cursor.clone());
        for found in &page {
            let key: serde_json::Value = serde_json::from_str(&found.unit.key).unwrap();
            paths.push(key["path"].as_str().unwrap().to_owned());
        }
    }
}

async fn filled() -> Fixture {
    let fixture = Fixture::new().await;
    let units = ["bin/b", "bin/a", "lib/ü", "lib/c", "readme", "bin%", "bin/\u{10fff0}"];
    let units: Vec<(&str, &str)> = units.iter().map(|path| (*path, "1")).collect();
    fixture.sync(0, VersionMode::Mirror, &units).await;
    fixture.sync(1, VersionMode::Mirror, &units[..4]).await;
    fixture
}

#[tokio::test]
async fn fields_are_matched_exactly_or_by_their_beginning() {
    let fixture = filled().await;
    let at = |version| Some((fixture.repository, version));
    for types in [Vec::new(), vec![fixture.type_id]] {
        let search = |filter| UnitSearch {
            version: at(1),
            types: types.clone(),
            filter,
            ..UnitSearch::default()
        };
        let prefix = |text: &str| search(vec![field("path", Match::Prefix(text.to_owned()))]);
        assert_eq!(found(&fixture, &prefix("bin/")).await, ["bin/b", "bin/a", "bin/\u{10fff0}"]);
        assert_eq!(found(&fixture, &prefix("bin%")).await, ["bin%"]);
        assert_eq!(found(&fixture, &prefix("")).await.len(), 7);
        assert_eq!(found(&fixture, &search(vec![written("path", "lib/ü")])).await, ["lib/ü"]);
        assert_eq!(found(&fixture, &search(vec![written("path", "lib/")])).await, [""; 0]);
        // The color is the number of bytes of the path, modulo 3: a number, but people write texts.
        let color = |is| search(vec![field("color", is), written("path", "readme")]);
        assert_eq!(found(&fixture, &color(Match::Written("0".to_owned()))).await, ["readme"]);
        assert_eq!(found(&fixture, &color(Match::Value("0".to_owned()))).await, ["readme"]);
        assert_eq!(found(&fixture, &color(Match::Value("\"0\"".to_owned()))).await, [""; 0]);
        assert_eq!(found(&fixture, &color(Match::Written("1".to_owned()))).await, [""; 0]);
    }
    let second = UnitSearch { version: at(2), ..UnitSearch::default() };
    assert_eq!(found(&fixture, &second).await, ["bin/b", "bin/a", "lib/ü", "lib/c"]);
    assert_eq!(fixture.store.meta.search_ids(second).await.unwrap().len(), 4);
    let bad = UnitSearch { filter: vec![written("a\"b", "1")], ..UnitSearch::default() };
    assert_eq!(fixture.store.meta.search(bad).await.unwrap_err().code(), "usage.field");
    let none = UnitSearch { version: at(9), ..UnitSearch::default() };
    assert_eq!(fixture.store.meta.search(none).await.unwrap_err().code(), "not_found.version");
}

#[tokio::test]
async fn pages_follow_each_other_in_any_order() {
    let fixture = filled().await;
    let by = |field: &str, descending| UnitSearch {
        version: Some((fixture.repository, 1)),
        order: Some(UnitOrder { field: field.to_owned(), descending }),
        ..UnitSearch::default()
    };
    let sorted = ["bin%", "bin/a", "bin/b", "bin/\u{10fff0}", "lib/c", "lib/ü", "readme"];
    assert_eq!(found(&fixture, &by("path", false)).await, sorted);
    let mut turned = found(&fixture, &by("path", true)).await;
    turned.reverse();
    assert_eq!(turned, sorted);
    // Many have the same color, none the other field: the number decides, and nobody comes twice.
    for (name, descending) in
        [("color", true), ("color", false), ("nothing", true), ("nothing", false)]
    {
        let mut all = found(&fixture, &by(name, descending)).await;
        all.sort();
        assert_eq!(all.len(), 7, "{all:?}");
        all.dedup();
        assert_eq!(all.len(), 7);
    }
}

#[tokio::test]
async fn all_repositories_are_searched_and_named() {
    let fixture = filled().await;
    let meta = &fixture.store.meta;
    let (other, importer, _) = repository(&fixture.store, "other").await;
    let job = lease(&fixture.store, "sync", other, importer).await;
    let units: Vec<NewUnit> =
        ["bin/a", "readme"].iter().map(|path| fixture.unit(path, b"1")).collect();
    let saved = meta.save_units(job, other, units, Vec::new()).await.unwrap();
    let present: Vec<_> = saved.iter().map(|saved| saved.unit).collect();
    let mut commit = fixture.version(0, VersionMode::Mirror, &present);
    (commit.repository, commit.attachment) = (other, None);
    meta.commit_version(job, commit).await.unwrap();
    let found = meta.search(UnitSearch::default()).await.unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|found| {
            let key: serde_json::Value = serde_json::from_str(&found.unit.key).unwrap();
            (key["path"].clone(), found.repositories.clone())
        })
        .collect();
    let demo = || vec!["demo".to_owned()];
    let both = vec!["demo".to_owned(), "other".to_owned()];
    assert_eq!(
        told,
        [
            (json!("bin/b"), demo()),
            (json!("bin/a"), both),
            (json!("lib/ü"), demo()),
            (json!("lib/c"), demo()),
            (json!("readme"), vec!["other".to_owned()]),
        ],
        "what only an earlier version holds is not among them"
    );
    let readme = found[4].unit.id;
    let holdings = meta.holdings(readme).await.unwrap();
    let spans: Vec<_> = holdings
        .iter()
        .map(|holding| (holding.repository.as_str(), holding.added_in, holding.removed_in))
        .collect();
    assert_eq!(spans, [("demo", 1, Some(2)), ("other", 1, None)]);
}
