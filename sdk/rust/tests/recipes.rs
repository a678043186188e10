//! The plugin of the author's guide, in memory: what `GUIDE.md` says of it.

#![expect(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test that cannot go on ends by a panic; the names are the plugin's own"
)]

use serde_json::{Value, json};
use wharf_sdk::testing::{FakeHost, Harness};
use wharf_sdk::{File, SignForm, Signed, Unit, UnitRef};

#[allow(dead_code, reason = "the example's main is not called here")]
#[path = "../examples/recipes/main.rs"]
mod example;

const URL: &str = "https://cook.example/recipes.json";

fn recipe(name: &str, time: &str, uses: &[&str]) -> Value {
    json!({
        "name": name, "file": format!("{name}.txt"), "sha256": "ab".repeat(32), "size": 20,
        "title": name.to_uppercase(), "time": time, "uses": uses,
    })
}

fn index(courses: &Value) -> String {
    json!({ "courses": courses }).to_string()
}

fn harness(host: FakeHost) -> Harness {
    Harness::start(example::plugin(), host)
}

#[tokio::test]
async fn it_declares_what_the_index_lists() {
    let courses = json!({ "desserts": [recipe("pancakes", "25 min", &["batter"])] });
    let harness = harness(FakeHost::new().file(URL, index(&courses)));
    let run = harness.call("importer").settings(&json!({ "url": URL })).sync().await;
    assert_eq!(run.keys(), [r#"{"name":"pancakes"}"#]);
    assert_eq!(run.done().announced, Some(1));
    let unit = &run.units[0];
    let attributes: Value = serde_json::from_str(&unit.attributes).unwrap();
    assert_eq!((&attributes["minutes"], &attributes["course"]), (&json!(25), &json!("desserts")));
    assert_eq!(unit.files[0].path, "desserts/pancakes.txt");
    assert_eq!(unit.files[0].sources[0].url, "https://cook.example/pancakes.txt");
}

#[tokio::test]
async fn an_unchanged_index_costs_one_request() {
    let courses = json!({ "desserts": [recipe("pancakes", "25 min", &[])] });
    let host = FakeHost::new().file(URL, index(&courses));
    let harness = harness(host.clone());
    let call = || harness.call("importer").settings(&json!({ "url": URL })).last("succeeded");
    let state = call().sync().await.state();
    let again = call().state(state.clone()).sync().await;
    assert!(again.done().nothing_to_do);
    assert_eq!(again.state(), state, "it is remembered for the next time too");
    assert_eq!(host.requests(), [URL.to_owned(), format!("{URL} (unchanged)")]);
    let full = call().state(state).full().sync().await;
    assert_eq!(full.units.len(), 1, "nothing is taken for granted");
}

#[tokio::test]
async fn unchanged_courses_are_kept_without_sending_them() {
    let desserts = json!([recipe("pancakes", "25 min", &[])]);
    let first = json!({ "desserts": desserts });
    let second = json!({ "desserts": desserts, "soups": [recipe("leek", "40 min", &[])] });
    let settings = json!({ "url": URL });
    let before = harness(FakeHost::new().file(URL, index(&first)));
    let state = before.call("importer").settings(&settings).sync().await.state();
    let after = harness(FakeHost::new().file(URL, index(&second)));
    let call = after.call("importer").settings(&settings).state(state);
    let run = call.last("succeeded").sync().await;
    assert_eq!(run.keys(), [r#"{"name":"leek"}"#]);
    assert_eq!(run.kept[0].field.as_ref().unwrap().value, r#""desserts""#);
    assert_eq!(run.done().announced, Some(2));
}

#[tokio::test]
async fn one_bad_recipe_fails_alone_and_a_bad_index_fails_all() {
    let good = recipe("pancakes", "25 min", &[]);
    let courses =
        json!({ "desserts": [good, recipe("../up", "1 min", &[]), recipe("x", "soon", &[])] });
    let host =
        FakeHost::new().file(URL, index(&courses)).file("https://cook.example/page", "<html>");
    let harness = harness(host);
    let run = harness.call("importer").settings(&json!({ "url": URL })).sync().await;
    assert_eq!(run.keys(), [r#"{"name":"pancakes"}"#]);
    let codes: Vec<_> = run.items.iter().map(|item| item.error.clone().unwrap().code).collect();
    assert_eq!(codes, ["content.name", "content.time"]);
    let page = json!({ "url": "https://cook.example/page" });
    let run = harness.call("importer").settings(&page).sync().await;
    assert_eq!(run.failure().code, "content.index");
    let run = harness.call("importer").sync().await;
    assert_eq!(
        (run.failure().code.as_str(), run.failure().field.as_str()),
        ("config.no_source", "/url")
    );
}

#[tokio::test]
async fn settings_are_checked_by_field_and_tidied() {
    let harness = harness(FakeHost::new());
    let check = |url: &str| harness.call("importer").settings(&json!({ "url": url })).check();
    let folder = check("https://cook.example/").await.unwrap();
    assert_eq!(folder.errors[0].field, "/url");
    let good = check(" https://cook.example/recipes.json ").await.unwrap();
    assert_eq!(good.normalised, json!({ "url": URL }).to_string());
}

/// What a user brings, staged as the host does it.
async fn upload(name: &str, text: &str, told: &Value) -> wharf_sdk::testing::Run {
    let harness = harness(FakeHost::new());
    std::fs::write(harness.work_dir().join("staged-1"), text).unwrap();
    let file = File::at(name).staged("staged-1").sha256(&"ab".repeat(32));
    harness.call("importer").upload_with("", &told.to_string(), vec![file]).await
}

#[tokio::test]
async fn an_uploaded_file_has_its_title_in_its_first_line() {
    let told = json!({ "course": "soups", "time": "40 min" });
    let run = upload("leek.txt", "Leek soup\n\nBoil.\n", &told).await;
    assert_eq!(run.keys(), [r#"{"name":"leek"}"#]);
    assert!(run.units[0].attributes.contains("Leek soup"), "{:?}", run.units);
    assert_eq!(upload("leek.txt", "", &told).await.failure().code, "content.title");
    assert_eq!(upload("Leek.doc", "Leek", &told).await.failure().code, "usage.name");
    let soon = upload("leek.txt", "Leek", &json!({ "course": "soups", "time": "soon" })).await;
    assert_eq!(
        (soon.failure().code.as_str(), soon.failure().field.as_str()),
        ("usage.time", "/attributes/time")
    );
    let no_course = upload("leek.txt", "Leek", &json!({})).await;
    assert!(no_course.failure().message.contains("course"), "{:?}", no_course.failure());
}

/// A recipe as the store has it.
fn stored(name: &str, minutes: u32, uses: &[&str]) -> Unit {
    let attributes =
        json!({ "title": name, "course": "desserts", "minutes": minutes, "uses": uses });
    let file = File::at(format!("desserts/{name}.txt")).size(20).sha256(&"ab".repeat(32));
    let unit = Unit::new("recipe").key(&json!({ "name": name })).unwrap();
    unit.attributes(&attributes).unwrap().file(file)
}

#[tokio::test]
async fn what_a_recipe_uses_is_resolved_all_the_way_down() {
    let host = FakeHost::new()
        .unit(stored("pancakes", 25, &["batter"]))
        .unit(stored("batter", 5, &["flour"]))
        .unit(stored("flour", 0, &["batter", "pancakes", "wheat"]))
        .unit(stored("soup", 40, &[]));
    let run = harness(host).call("importer").resolve(vec![UnitRef::id(1)]).await;
    assert_eq!(run.resolved.iter().map(|unit| unit.id).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(run.warnings[0].item, "wheat");
}

fn shelf() -> FakeHost {
    FakeHost::new().unit(stored("waffles", 30, &[])).unit(stored("pancakes", 25, &[]))
}

#[tokio::test]
async fn a_publication_is_the_same_for_the_same_version() {
    let harness = harness(shelf());
    let run = harness.call("distributor").timestamp_ms(1000).publish().await;
    let paths: Vec<_> = run.files.iter().map(|file| file.path.as_str()).collect();
    let recipes = ["desserts/pancakes.txt", "desserts/waffles.txt"];
    assert_eq!(paths, [recipes[0], recipes[1], "recipes.json", "SHA256SUMS"]);
    let read = |name: &str| std::fs::read_to_string(harness.work_dir().join(name)).unwrap();
    let sum = "ab".repeat(32);
    assert_eq!(read("SHA256SUMS"), format!("{sum}  {}\n{sum}  {}\n", recipes[0], recipes[1]));
    let index = read("recipes.json");
    assert!(index.contains(r#""made_ms": 1000"#) && index.contains("25 min"), "{index}");
    harness.call("distributor").timestamp_ms(1000).publish().await.done();
    assert_eq!(read("recipes.json"), index);
}

#[tokio::test]
async fn a_reissue_has_fresh_entry_points_and_no_recipes() {
    let harness = harness(shelf());
    let run = harness.call("distributor").timestamp_ms(2000).reissue(1).await;
    let paths: Vec<_> = run.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["recipes.json", "SHA256SUMS"]);
    assert!(run.files.iter().all(|file| file.entry_point && file.modified_ms == 2000));
}

#[tokio::test]
async fn lists_are_signed_when_the_attachment_names_a_key() {
    let signer = |form: SignForm, _: &[u8]| {
        assert_eq!(form, SignForm::DetachedArmored);
        Signed { bytes: b"signature".to_vec(), ..Signed::default() }
    };
    let harness = harness(shelf().signer(signer));
    let run = harness.call("distributor").signing("main").publish().await;
    let signed = run.files.iter().filter(|file| file.path.ends_with(".asc"));
    let signed: Vec<_> = signed.map(|file| (file.path.as_str(), file.entry_point)).collect();
    assert_eq!(signed, [("recipes.json.asc", true), ("SHA256SUMS.asc", true)]);
}

#[tokio::test]
async fn clients_are_told_where_the_index_is() {
    let harness = harness(FakeHost::new());
    let config = harness.call("distributor").client_config("http://x.example/c/").await.unwrap();
    let text = String::from_utf8(config.files[0].content.clone()).unwrap();
    assert!(text.ends_with("index = http://x.example/c/recipes.json\n"), "{text}");
}

#[tokio::test]
async fn the_migration_makes_numbers_of_times_and_may_be_run_again() {
    let old = |name: &str, time: &str| {
        let unit = Unit::new("recipe").key(&json!({ "name": name })).unwrap();
        unit.attributes(&json!({ "title": name, "course": "soups", "time": time })).unwrap()
    };
    let host = FakeHost::new()
        .unit(old("leek", "40 min"))
        .unit(old("stock", "for hours"))
        .unit(stored("pancakes", 25, &[]));
    let run = harness(host).migrate(1).await;
    let changed = run.units.iter().map(|unit| {
        let attributes: Value = serde_json::from_str(&unit.attributes).unwrap();
        (unit.id, attributes["minutes"].clone(), attributes.get("time").is_none())
    });
    let changed: Vec<_> = changed.collect();
    assert_eq!(
        changed,
        [(1, json!(40), true), (2, json!(0), true)],
        "the third is as it should be"
    );
}
