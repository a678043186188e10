//! Templates in their three forms, and what is said of wrong ones.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use wharf_template::{Content, Form, MAX_BYTES, TargetContent, Template};

const TDL: &str = include_str!("templates/full.tdl");
const TOML: &str = include_str!("templates/full.toml");
const JSON: &str = include_str!("templates/full.json");

fn read(text: &str, form: Form) -> Template {
    Template::read(text.as_bytes(), form).unwrap()
}

fn problems(text: &str, form: Form) -> Vec<String> {
    let problems = Template::read(text.as_bytes(), form).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn all_forms_with_everything_become_the_same_canonical_json() {
    for (text, form) in [(TDL, Form::Tdl), (TOML, Form::Toml), (JSON, Form::Json)] {
        assert_eq!(read(text, form).to_json(), JSON.trim(), "{form:?}");
    }
}

#[test]
fn the_form_is_told_by_the_name_and_else_by_the_beginning() {
    for (name, content, form) in [
        ("a.tdl", "{", Form::Tdl),
        ("a.XML", "", Form::Tdl),
        ("a.toml", "<", Form::Toml),
        ("a.b/c", "\u{feff} <template/>", Form::Tdl),
        ("-", "\n{}", Form::Json),
        ("", "name = 1", Form::Toml),
    ] {
        assert_eq!(Form::of(name, content.as_bytes()), form, "{name}");
    }
}

#[test]
fn a_small_template_gets_the_defaults() {
    let text = "<template><name>x</name><os><name>Debian</name><version>12</version><arch>i386</arch>\
                <install type='url'><url>http://m.example/</url></install></os></template>";
    let template = read(text, Form::Tdl);
    assert_eq!(template.disk.size_bytes, 10 << 30);
    assert!(template.packages.is_empty() && template.description.is_none());
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_line_and_element() {
    let expected = [
        "line 1, column 11: version: expected 1.0, found \"2.0\"",
        "line 3, column 3: name: given twice",
        "line 4, column 3: os: \"version\" is missing: the system's version, such as \"12\"",
        "line 4, column 7: os: the attribute color is not known here",
        "line 6, column 5: os/arch: expected one of i386, x86_64, ppc64, ppc64le, aarch64, armv7l, s390x, found \"vax\"",
        "line 7, column 5: os/install: \"url\" is missing: an address",
        "line 9, column 13: packages/1: \"name\" is missing: the package's name",
        "line 9, column 23: packages/packet: expected the element package",
        "line 11, column 38: repositories/1/signed: expected true, false, yes or no",
        "line 14, column 11: files/1/name: expected an absolute path of a file, without ..",
        "line 15, column 5: files/2/content: expected base 64",
        "line 16, column 5: files/3/content: expected an address",
        "line 18, column 3: commands: positions are given for all or for none",
        "line 21, column 5: commands/3/content: expected something to run",
        "line 23, column 3: precommands: positions are 1 to 2, each of them once",
        "line 27, column 9: disk/size: expected a size of at most 64 TiB",
    ];
    let found = problems(include_str!("templates/wrong.tdl"), Form::Tdl);
    for expected in expected {
        assert!(found.iter().any(|line| line.starts_with(expected)), "{expected}\n{found:#?}");
    }
    assert!(found.iter().any(|line| line.ends_with("expected elements here, not text")));
    assert_eq!(found.len(), expected.len() + 1, "{found:#?}");
}

#[test]
fn toml_tells_places_too_and_json_tells_paths() {
    let text = "name = 7\ncolor = \"red\"\n[os]\nname = \"Debian\"\nversion = 12.10\n  arch = \"x86_64\"\ninstall.type = \"tape\"";
    assert_eq!(
        problems(text, Form::Toml),
        [
            "line 1, column 8: name: expected a text, found a number",
            "line 2, column 1: color: not known here",
            "line 5, column 11: os/version: expected a text, found a number with a point; put it in quotes",
            "line 7, column 16: os/install/type: expected url or iso, found \"tape\"",
        ]
    );
    assert!(problems("name = ", Form::Toml)[0].starts_with("line 1, column "));
    let found = problems(
        r#"{"name":"x","os":null,"files":[{"name":"/a"},{"name":"b"}],"disk":{}}"#,
        Form::Json,
    );
    assert!(found.contains(&"os: expected a group of fields, found null".to_owned()), "{found:#?}");
    assert!(found.iter().any(|line| line.starts_with("files/2/name: ")), "{found:#?}");
    assert!(problems("{\n\"name\": }", Form::Json)[0].starts_with("line 2, column "));
}

#[test]
fn declarations_entities_and_what_is_too_large_are_refused() {
    let bomb = "<!DOCTYPE t [<!ENTITY a 'aaaa'>]><template><name>&a;</name></template>";
    assert_eq!(problems(bomb, Form::Tdl).len(), 1);
    assert_eq!(problems("<template><name>&a;</name></template>", Form::Tdl).len(), 1);
    let long = " ".repeat(MAX_BYTES + 1);
    assert_eq!(problems(&long, Form::Toml), [format!("longer than {MAX_BYTES} bytes")]);
    let deep = "[".repeat(100_000);
    assert!(!problems(&deep, Form::Json).is_empty());
    assert!(!problems(&format!("a = {deep}"), Form::Toml).is_empty());
    let many = format!("<template><packages>{}</packages></template>", "<package/>".repeat(11_000));
    assert!(problems(&many, Form::Tdl).iter().any(|line| line.contains("at most 10000 entries")));
    let nested = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
    assert!(!problems(&nested, Form::Tdl).is_empty());
    let latin = Template::read(b"<template>\n\xff</template>", Form::Tdl).unwrap_err();
    assert_eq!(latin.to_string(), "not UTF-8, in line 2");
}

#[test]
fn a_hundred_problems_are_told_and_the_rest_is_counted() {
    let many = format!("<template><packages>{}</packages></template>", "<package/>".repeat(300));
    let problems = Template::read(many.as_bytes(), Form::Tdl).unwrap_err();
    assert_eq!((problems.iter().len(), problems.count()), (100, 302));
    assert!(problems.to_string().ends_with("\nand 202 more"));
}

#[test]
fn content_is_decoded_unless_it_is_elsewhere() {
    let template = read(TDL, Form::Tdl);
    let bytes: Vec<_> = template.files.iter().map(|file| file.content.bytes()).collect();
    assert_eq!(bytes, [Some(b"Hello & welcome".to_vec()), Some(Vec::new()), None]);
    assert_eq!(template.commands[0].content.bytes(), Some(b"true\n".to_vec()));
    assert!(matches!(&template.files[2].content, Content::Url(url) if url.ends_with("/tool")));
}

const ADDITIONS: &str = "<includes>
  <include><packages><package name='any'/></packages></include>
  <include target='ec2' os='Debian'><packages><package name='one'/><package name='tool'/></packages>
    <repositories><repository name='ours'><url>http://other.example/</url></repository></repositories></include>
  <include target='ec2' os='Debian'><packages><package name='two'/></packages></include>
  <include target='ec2' os='Debian' version='11'><packages><package name='eleven'/></packages></include>
</includes>";

#[test]
fn the_most_specific_addition_counts_and_the_first_of_equals() {
    let mut template = read(TDL, Form::Tdl);
    let additions = TargetContent::read(ADDITIONS.as_bytes()).unwrap();
    let of = |target: &str, template: &Template| {
        additions.of(target, &template.os).map(|found| found.packages[0].name.clone())
    };
    assert_eq!(of("vsphere", &template).as_deref(), Some("any"));
    assert_eq!(of("ec2", &template).as_deref(), Some("one"));
    "11".clone_into(&mut template.os.version);
    assert_eq!(of("ec2", &template).as_deref(), Some("eleven"));
    "12".clone_into(&mut template.os.version);
    additions.of("ec2", &template.os).unwrap().add_to(&mut template);
    let names: Vec<_> = template.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["nginx-light", "one", "tool"]);
    assert_eq!(template.repositories.last().unwrap().url, "http://other.example/");
    assert_eq!(template.repositories.len(), 2);
}

#[test]
fn additions_name_what_they_are_for_from_the_left() {
    let text = "<includes>\n<include os='Debian'/><exclude/></includes>";
    let found = TargetContent::read(text.as_bytes()).unwrap_err().to_string();
    assert!(found.contains("line 2, column 10: include/1/os: needs target as well"), "{found}");
    assert!(found.contains("expected the element include"), "{found}");
}
