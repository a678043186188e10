//! The checked-in code is what the `.proto` files give.

use std::path::Path;

use wharf_codegen::{GENERATED, SAMPLES, generate, proto_dir};

#[test]
fn generated_code_is_fresh() {
    let out = tempfile::tempdir().expect("a temporary folder");
    generate(out.path()).expect("the contract compiles");
    same(GENERATED, out.path(), &proto_dir().join("src/gen"));
}

#[test]
fn generated_code_of_tests_is_fresh() {
    for sample in SAMPLES {
        let out = tempfile::tempdir().expect("a temporary folder");
        sample.generate(out.path()).expect("it compiles");
        same(&sample.generated, out.path(), &sample.dir());
    }
}

fn same(names: &[&str], fresh: &Path, kept: &Path) {
    for name in names {
        let fresh = std::fs::read(fresh.join(name)).expect(name);
        let kept = std::fs::read(kept.join(name)).unwrap_or_default();
        assert!(fresh == kept, "{name} is stale: run `cargo run -p wharf-codegen`");
    }
}
