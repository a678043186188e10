//! Publications and what clients find.

use std::time::Duration;

use wharf_store::Error;
use wharf_store::model::{
    Digest, EntryFrom, Header, LastRun, Lease, Lookup, NewEntry, NewVariant, PublicationId,
    PublicationState, PublishedEntry, UnitId, VersionMode,
};

use crate::support::{Fixture, artifact};

const GRACE: Duration = Duration::from_hours(1);

fn last() -> LastRun {
    LastRun {
        finished_ms: 7,
        version: 1,
        outcome: "succeeded".to_owned(),
        settings_digest: "s".to_owned(),
    }
}

fn entry(path: &str, from: EntryFrom) -> NewEntry {
    NewEntry {
        path: path.parse().unwrap(),
        from,
        media_type: String::new(),
        modified_ms: 5,
        entry_point: false,
        headers: Vec::new(),
    }
}

fn redirect(path: &str) -> NewEntry {
    entry(path, EntryFrom::Redirect("elsewhere".to_owned()))
}

struct Publishing {
    fixture: Fixture,
    lease: Lease,
    units: Vec<UnitId>,
}

impl Publishing {
    /// A repository whose version 1 has the files a/one, a/two and b, of which only a/one's bytes are here.
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let lease = fixture.lease("publish").await;
        let units = fixture.save(lease, &[("a/one", "1"), ("a/two", "2"), ("b", "3")]).await;
        let commit = fixture.version(0, VersionMode::Mirror, &units);
        fixture.store.meta.commit_version(lease, commit).await.unwrap();
        fixture.store.meta.save_artifacts(lease, vec![artifact("1")]).await.unwrap();
        Self { fixture, lease, units }
    }

    async fn begin(&self) -> PublicationId {
        let meta = &self.fixture.store.meta;
        meta.begin_publication(self.lease, self.fixture.distributor, 1).await.unwrap()
    }

    async fn save(&self, id: PublicationId, entries: Vec<NewEntry>) -> Result<(), Error> {
        self.fixture.store.meta.save_entries(self.lease, id, entries).await
    }

    async fn go_live(&self, id: PublicationId, grace: Duration) -> Result<u64, Error> {
        self.fixture.store.meta.go_live(self.lease, id, None, last(), grace).await
    }

    async fn publish(&self, entries: Vec<NewEntry>, grace: Duration) -> PublicationId {
        let id = self.begin().await;
        self.save(id, entries).await.unwrap();
        self.go_live(id, grace).await.unwrap();
        id
    }

    async fn look(&self, path: &str) -> Lookup {
        let meta = &self.fixture.store.meta;
        let found = meta.lookup(path).await.unwrap();
        assert_eq!(meta.lookup_blocking(path).unwrap(), found);
        found
    }

    async fn file(&self, path: &str) -> PublishedEntry {
        match self.look(path).await {
            Lookup::File(entry) => entry,
            other => panic!("{path}: {other:?}"),
        }
    }

    async fn names(&self, path: &str) -> Vec<String> {
        match self.look(path).await {
            Lookup::Directory(listing) => {
                assert!(!listing.more);
                let name = |entry: wharf_store::model::DirEntry| {
                    if entry.is_dir { format!("{}/", entry.name) } else { entry.name }
                };
                listing.entries.into_iter().map(name).collect()
            }
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_publication_is_seen_whole_or_not_at_all() {
    let test = Publishing::new().await;
    let meta = &test.fixture.store.meta;
    assert_eq!(test.look("demo/").await, Lookup::NotFound);
    let id = test.begin().await;
    let one = EntryFrom::UnitFile(test.units[0], "a/one".parse().unwrap());
    let two = EntryFrom::UnitFile(test.units[1], "a/two".parse().unwrap());
    let mut index = entry("index", EntryFrom::Artifact(Digest::of(b"1")));
    index.media_type = "application/json".to_owned();
    index.entry_point = true;
    let entries = vec![entry("pool/1", one), entry("a/two", two), index, redirect("latest")];
    test.save(id, entries).await.unwrap();
    assert_eq!(test.look("demo/index").await, Lookup::NotFound);
    assert_eq!(meta.publication(id).await.unwrap().unwrap().state, PublicationState::Building);
    assert_eq!(test.go_live(id, GRACE).await.unwrap(), 4);
    let shown = meta.publication(id).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.entries, shown.version), (PublicationState::Live, 4, 1));
    let attachment = meta.attachment(test.fixture.distributor).await.unwrap().unwrap();
    assert_eq!((attachment.publication, attachment.last), (Some(id), Some(last())));

    let found = test.file("demo/pool/1").await;
    assert_eq!((found.sha256, found.size, found.present), (Some(Digest::of(b"1")), Some(1), true));
    assert_eq!(found.unit, Some((test.units[0], "a/one".parse().unwrap())));
    assert_eq!((found.media_type.as_str(), found.modified_ms), ("text/plain", 5));
    let found = test.file("demo/a/two").await;
    assert_eq!((found.size, found.present), (Some(1), false));
    let found = test.file("demo/index").await;
    assert!(found.entry_point && found.unit.is_none() && found.media_type == "application/json");
    assert_eq!(test.file("demo/latest").await.redirect.as_deref(), Some("elsewhere"));
    assert_eq!(test.names("demo/").await, ["a/", "index", "latest", "pool/"]);
    assert_eq!(test.names("demo/pool/").await, ["1"]);
    for path in ["demo", "demo/pool"] {
        assert_eq!(test.look(path).await, Lookup::RedirectToSlash, "{path}");
    }
    for path in
        ["", "/", "dem", "demo2/index", "demo/pool/1/", "demo/poo", "demo/index/x", "demo//"]
    {
        assert_eq!(test.look(path).await, Lookup::NotFound, "{path}");
    }
    let page = meta.entries(id, "", Some("index".to_owned()), 2).await.unwrap();
    assert_eq!(page.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(), ["latest", "pool/1"]);
    assert_eq!(meta.entries(id, "pool", None, 0).await.unwrap().len(), 1);
    assert_eq!(meta.entry(id, "none").await.unwrap(), None);
}

#[tokio::test]
async fn bytes_that_come_later_are_found_under_published_paths() {
    let test = Publishing::new().await;
    let meta = &test.fixture.store.meta;
    let mut unknown = test.fixture.unit("later", b"x");
    unknown.files[0].sha256 = None;
    let unit = meta
        .save_units(test.lease, test.fixture.repository, vec![unknown], Vec::new())
        .await
        .unwrap()[0]
        .unit;
    let mut units = test.units.clone();
    units.push(unit);
    let commit = test.fixture.version(1, VersionMode::Mirror, &units);
    meta.commit_version(test.lease, commit).await.unwrap();
    let id = meta.begin_publication(test.lease, test.fixture.distributor, 2).await.unwrap();
    assert_eq!(meta.pass_through(test.lease, id, "all", Vec::new(), 9).await.unwrap(), 4);
    test.go_live(id, GRACE).await.unwrap();
    for (path, bytes, known) in [("later", "x", None), ("a/two", "2", Some(Digest::of(b"2")))] {
        let found = test.file(&format!("demo/all/{path}")).await;
        assert_eq!((found.sha256, found.present), (known, false));
        let (unit, file) = found.unit.unwrap();
        assert_eq!(file.as_str(), path);
        let digest = Digest::of(bytes.as_bytes());
        meta.artifact_added(unit, &file, digest, 1).await.unwrap();
        let found = test.file(&format!("demo/all/{path}")).await;
        assert_eq!((found.sha256, found.present, found.size), (Some(digest), true, Some(1)));
    }
}

#[tokio::test]
async fn f100_paths_that_cannot_both_be_are_refused_and_named() {
    let test = Publishing::new().await;
    let id = test.begin().await;
    test.save(id, vec![redirect("a"), redirect("a-b"), redirect("c/d")]).await.unwrap();
    let doubled = test.save(id, vec![redirect("x"), redirect("c/d")]).await.unwrap_err();
    assert_eq!(doubled.code(), "content.path_conflict");
    let meta = &test.fixture.store.meta;
    assert_eq!(meta.entry(id, "x").await.unwrap(), None, "the batch was taken back");
    test.save(id, vec![redirect("a/b/c")]).await.unwrap();
    let error = test.go_live(id, GRACE).await.unwrap_err();
    let Error::PathConflict { path, other } = &error else { panic!("{error}") };
    assert_eq!((path.as_str(), other.as_str()), ("a", "a/b/c"));
    assert_eq!(test.look("demo/a").await, Lookup::NotFound);
    for conflict in ["c/d/e/f", "c/d/e"] {
        let id = test.begin().await;
        let entries = ["c/d", "c/da", conflict, "c/d0"].map(redirect);
        test.save(id, entries.to_vec()).await.unwrap();
        let error = test.go_live(id, GRACE).await.unwrap_err();
        assert!(matches!(&error, Error::PathConflict { path, .. } if path == "c/d"), "{error}");
    }
}

#[tokio::test]
async fn only_bytes_that_are_here_and_units_of_the_version_are_published() {
    let test = Publishing::new().await;
    let id = test.begin().await;
    let missing = entry("x", EntryFrom::Artifact(Digest::of(b"2")));
    assert_eq!(test.save(id, vec![missing]).await.unwrap_err().code(), "integrity.missing");
    let stranger = test.fixture.save(test.lease, &[("s", "s")]).await[0];
    for (unit, path) in [(stranger, "s"), (test.units[0], "none"), (UnitId(999), "s")] {
        let foreign = entry("x", EntryFrom::UnitFile(unit, path.parse().unwrap()));
        assert_eq!(test.save(id, vec![foreign]).await.unwrap_err().code(), "not_found.file");
    }
    test.go_live(id, GRACE).await.unwrap();
    assert_eq!(test.names("demo/").await, Vec::<String>::new());
    let closed = test.save(id, vec![redirect("late")]).await.unwrap_err();
    assert_eq!(closed.code(), "not_found.publication", "what is live never changes");
}

#[tokio::test]
async fn superseded_files_stay_for_the_time_of_grace_under_their_exact_paths() {
    let test = Publishing::new().await;
    let meta = &test.fixture.store.meta;
    let first = test.publish(vec![redirect("old/x"), redirect("both")], GRACE).await;
    let second = test.publish(vec![redirect("both"), redirect("new")], GRACE).await;
    assert_eq!(test.file("demo/old/x").await.publication, first);
    assert_eq!(test.file("demo/both").await.publication, second);
    assert_eq!(test.names("demo/").await, ["both", "new"]);
    assert_eq!(test.look("demo/old/").await, Lookup::NotFound);
    assert_eq!(meta.publication(first).await.unwrap().unwrap().state, PublicationState::Superseded);
    // What is superseded without grace is gone at once, and dropped when the next one begins.
    let third = test.publish(vec![redirect("third")], Duration::ZERO).await;
    assert_eq!(test.look("demo/new").await, Lookup::NotFound);
    assert_eq!(test.file("demo/old/x").await.publication, first);
    test.begin().await;
    assert_eq!(meta.publication(second).await.unwrap(), None);
    assert!(meta.publication(third).await.unwrap().is_some());
}

#[tokio::test]
async fn earlier_files_are_reused_unchanged() {
    let test = Publishing::new().await;
    let meta = &test.fixture.store.meta;
    let first = test
        .publish(vec![redirect("pool/a"), redirect("pool/b/c"), redirect("poolx")], GRACE)
        .await;
    let second = test.begin().await;
    assert_eq!(meta.reuse(test.lease, second, first, "pool").await.unwrap(), 2);
    let again = meta.reuse(test.lease, second, first, "").await.unwrap_err();
    assert_eq!(again.code(), "content.path_conflict");
    let unknown = meta.reuse(test.lease, second, PublicationId(99), "").await.unwrap_err();
    assert_eq!(unknown.code(), "not_found.publication");
    test.go_live(second, GRACE).await.unwrap();
    assert_eq!(test.names("demo/pool/").await, ["a", "b/"]);
    assert_eq!(test.file("demo/pool/b/c").await.publication, second);
}

#[tokio::test]
async fn headers_are_sent_along_and_taken_over_with_their_files() {
    let test = Publishing::new().await;
    let header = |value: &str| Header { name: "cache-control".to_owned(), value: value.to_owned() };
    let with =
        |path: &str, value: &str| NewEntry { headers: vec![header(value)], ..redirect(path) };
    let entries = vec![with("p/a", "x: y"), with("p/b", "x: y"), with("p/c", "z"), redirect("p/d")];
    let first = test.publish(entries, GRACE).await;
    let second = test.begin().await;
    test.fixture.store.meta.reuse(test.lease, second, first, "p").await.unwrap();
    test.go_live(second, GRACE).await.unwrap();
    for (path, expected) in
        [("a", Some("x: y")), ("b", Some("x: y")), ("c", Some("z")), ("d", None)]
    {
        let found = test.file(&format!("demo/p/{path}")).await;
        assert_eq!(found.headers, Vec::from_iter(expected.map(header)), "{path}");
    }
}

fn variant(path: &str, target: &str, media_type: &str) -> NewVariant {
    NewVariant {
        path: path.to_owned(),
        target: target.parse().unwrap(),
        media_type: media_type.to_owned(),
        also: vec!["x/also".to_owned(), "y/also".to_owned()],
        encoding: String::new(),
    }
}

#[tokio::test]
async fn variants_of_a_path_are_found_in_their_order_and_reused_with_its_files() {
    let test = Publishing::new().await;
    let meta = &test.fixture.store.meta;
    let first = test.begin().await;
    let files = ["p/a/index.html", "p/a/json", "free.json"].map(redirect);
    test.save(first, files.to_vec()).await.unwrap();
    let variants =
        vec![variant("p/a/", "p/a/json", "x/json"), variant("free", "free.json", "x/json")];
    meta.save_variants(test.lease, first, variants).await.unwrap();
    let html = vec![variant("p/a/", "p/a/index.html", "text/html")];
    meta.save_variants(test.lease, first, html).await.unwrap();
    test.go_live(first, GRACE).await.unwrap();
    let types = async |path: &str| match test.look(path).await {
        Lookup::Variants(found) => {
            assert!(found.iter().all(|it| it.also == ["x/also", "y/also"]));
            found.into_iter().map(|it| (it.target, it.media_type)).collect::<Vec<_>>()
        }
        other => panic!("{path}: {other:?}"),
    };
    let own = |target: &str, media_type: &str| (target.to_owned(), media_type.to_owned());
    let both = [own("p/a/json", "x/json"), own("p/a/index.html", "text/html")];
    assert_eq!(types("demo/p/a/").await, both);
    assert_eq!(types("demo/free").await, [own("free.json", "x/json")]);
    assert_eq!(test.look("demo/p/a").await, Lookup::RedirectToSlash);
    assert_eq!(test.file("demo/p/a/index.html").await.path, "p/a/index.html");

    let second = test.begin().await;
    meta.reuse(test.lease, second, first, "p").await.unwrap();
    test.go_live(second, GRACE).await.unwrap();
    assert_eq!(types("demo/p/a/").await, both);
    assert_eq!(test.look("demo/free").await, Lookup::NotFound, "it was not taken over");
}

// F100
#[tokio::test]
async fn variants_without_their_file_or_in_the_place_of_one_are_refused() {
    let test = Publishing::new().await;
    let meta = &test.fixture.store.meta;
    for (path, target, code) in
        [("a/", "gone", "not_found.file"), ("a/one", "a/two", "content.path_conflict")]
    {
        let id = test.begin().await;
        test.save(id, ["a/one", "a/two"].map(redirect).to_vec()).await.unwrap();
        let variants = vec![variant(path, target, "x/y")];
        meta.save_variants(test.lease, id, variants).await.unwrap();
        assert_eq!(test.go_live(id, GRACE).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn what_a_job_leaves_unfinished_is_dropped_with_it() {
    let test = Publishing::new().await;
    let meta = &test.fixture.store.meta;
    let discarded = test.begin().await;
    test.save(discarded, vec![redirect("a")]).await.unwrap();
    meta.discard_publication(test.lease, discarded).await.unwrap();
    assert_eq!(meta.publication(discarded).await.unwrap(), None);
    let left = test.begin().await;
    let foreign = test.fixture.lease("publish").await;
    let error = meta.save_entries(foreign, left, Vec::new()).await.unwrap_err();
    assert_eq!(error.code(), "not_found.publication", "another job's publication");
    test.fixture.finish(test.lease).await;
    assert_eq!(meta.publication(left).await.unwrap(), None);
}

#[tokio::test]
async fn a_directory_shows_its_index_and_a_long_one_says_that_there_is_more() {
    let test = Publishing::new().await;
    let names: Vec<String> = (0..10_002).map(|n| format!("many/{n:05}")).collect();
    let mut entries: Vec<NewEntry> = names.iter().map(|name| redirect(name)).collect();
    entries.push(redirect("shown/index.html"));
    entries.push(redirect("shown/other"));
    test.publish(entries, GRACE).await;
    assert_eq!(test.file("demo/shown/").await.path, "shown/index.html");
    match test.look("demo/many/").await {
        Lookup::Directory(listing) => {
            assert_eq!((listing.entries.len(), listing.more), (10_000, true));
        }
        other => panic!("{other:?}"),
    }
    test.fixture.store.meta.detach(test.fixture.distributor).await.unwrap();
    assert_eq!(test.look("demo/many/").await, Lookup::NotFound);
}

// F92
#[tokio::test]
async fn a_publication_holds_the_version_that_it_began_with() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    fixture.sync(0, VersionMode::Mirror, &[("a", "1"), ("b", "1")]).await;
    let lease = fixture.lease("publish").await;
    let publication = meta.begin_publication(lease, fixture.distributor, 1).await.unwrap();
    fixture.sync(1, VersionMode::Mirror, &[("b", "2"), ("c", "1")]).await;
    assert_eq!(meta.pass_through(lease, publication, "", Vec::new(), 1).await.unwrap(), 2);
    let entries = meta.entries(publication, "", None, 0).await.unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (entry.path.as_str(), entry.sha256)).collect();
    let one = Some(wharf_store::model::Digest::of(b"1"));
    assert_eq!(told, [("a", one), ("b", one)]);
}
