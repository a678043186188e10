//! The checked-in code is what the `.proto` files give.

#[test]
fn generated_code_is_fresh() {
    let out = tempfile::tempdir().expect("a temporary folder");
    wharf_codegen::generate(out.path()).expect("the contract compiles");
    for name in wharf_codegen::GENERATED {
        let fresh = std::fs::read_to_string(out.path().join(name)).expect(name);
        let kept = std::fs::read_to_string(wharf_codegen::proto_dir().join("src/gen").join(name))
            .unwrap_or_default();
        assert!(fresh == kept, "{name} is stale: run `cargo run -p wharf-codegen`");
    }
}
