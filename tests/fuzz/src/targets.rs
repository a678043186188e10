//! One function for each fuzz target: reads bytes from outside as the product does, and panics when
//! a promise is broken. The fuzzer calls them here, `tests/tests/corpora.rs` with every kept input.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{Seek as _, Write as _};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use url::Url;
use wharf_openpgp::{Algorithm, Keyring, SecretKey};
use wharf_plugin_deb::control::Reader as ControlReader;
use wharf_plugin_deb::release::{self, Release};
use wharf_plugin_deb::{package, relation, version};
use wharf_plugin_file::manifest::{MAX_LINE_BYTES, Next, Reader, line};
use wharf_plugin_image_cloud::disk::header::Header as DiskHeader;
use wharf_plugin_image_cloud::tree;
use wharf_plugin_moodle::answer::{self, Course, List, Section};
use wharf_plugin_moodle::layout::{self, Found};
use wharf_plugin_moodle::place::tamed;
use wharf_plugin_moodle::revision::Revision;
use wharf_plugin_pypi::filename::{self, Distribution, Kind};
use wharf_plugin_pypi::filter::{Filter, Wish};
use wharf_plugin_pypi::index::{self, Format};
use wharf_plugin_pypi::name::normalize;
use wharf_plugin_pypi::package::{self as python_package, CoreMetadata};
use wharf_plugin_webdav::layout::{self as dav, Entry};
use wharf_plugin_webdav::{multistatus, place};
use wharf_proto::handshake::{Environment, Line};
use wharf_sdk::ListedPath;
use wharf_store::model::{TypeDefinition, read_types};
use wharf_supervisor::fuzzing;
use wharf_template::{Form, TargetContent, Template};

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them; each has a folder of its name in `corpus`.
pub const TARGETS: &[Target] = &[
    ("handshake_line", handshake_line),
    ("certificate", certificate),
    ("log_line", log_line),
    ("guardian_frames", guardian_frames),
    ("file_manifest", file_manifest),
    ("type_file", type_file),
    ("deb_control", deb_control),
    ("deb_release", deb_release),
    ("deb_package", deb_package),
    ("openpgp", openpgp),
    ("deb_relation", deb_relation),
    ("simple_json", simple_json),
    ("simple_html", simple_html),
    ("python_wheel", python_wheel),
    ("python_sdist", python_sdist),
    ("python_metadata", python_metadata),
    ("python_filename", python_filename),
    ("python_wish", python_wish),
    ("schedule_rule", schedule_rule),
    ("folder_name", folder_name),
    ("image_format", image_format),
    ("kitovu_yaml", kitovu_yaml),
    ("image_template", image_template),
    ("target_content", target_content),
    ("moodle_listing", moodle_listing),
    ("image_tree", image_tree),
    ("image_disk", image_disk),
    ("imagefactory_info", imagefactory_info),
    ("webdav_listing", webdav_listing),
];

/// A sixth field that is no longer is no certificate; so many bytes make a longer one.
const CERTIFICATE_BYTES: usize = 38;

/// A plugin's first line, and the environment that it was given: what can be read is read the same
/// when it is printed again.
pub fn handshake_line(bytes: &[u8]) {
    if let Ok(line) = Line::parse(bytes) {
        assert!(!line.address.is_empty() && !line.address.contains(['|', '\0', '\n']));
        if line.certificate.as_ref().is_none_or(|der| der.len() >= CERTIFICATE_BYTES) {
            assert_eq!(Line::parse(line.to_string().as_bytes()), Ok(line));
        }
    }
    let text = String::from_utf8_lossy(bytes);
    let values: RefCell<VecDeque<&str>> = RefCell::new(text.split('\n').collect());
    let environment = Environment::read(|_| values.borrow_mut().pop_front().map(str::to_owned));
    let vars = environment.to_vars();
    let again = Environment::read(|name| {
        vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
    });
    assert_eq!(again, environment);
}

/// A host's certificate, PEM.
pub fn certificate(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(der) = wharf_proto::tls::certificate_from_pem(&text) {
        // ASN.1: a sequence.
        assert_eq!(der.first(), Some(&0x30));
    }
}

/// A plugin's standard error.
pub fn log_line(bytes: &[u8]) {
    assert_eq!(fuzzing::log_line(bytes), Ok(()));
}

/// What a guardian and a host say to each other.
pub fn guardian_frames(bytes: &[u8]) {
    assert_eq!(fuzzing::guardian_frames(bytes), Ok(()));
}

/// A `PULP_MANIFEST`: whatever is read can be used as a path inside a folder, and be written so that
/// it is read the same.
pub fn file_manifest(bytes: &[u8]) {
    let mut reader = Reader::new(bytes, "PULP_MANIFEST");
    while let Ok(Some(next)) = reader.read_next() {
        let Next::File(entry) = next else { continue };
        let whole = |segment: &str| !matches!(segment, "" | "." | "..");
        assert!(entry.path.split('/').all(whole), "{entry:?}");
        assert!(!entry.path.chars().any(char::is_control), "{entry:?}");
        assert!(entry.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        let mut written = Vec::new();
        line::write(&mut written, &entry.path, &entry.sha256, entry.size);
        if line::can_say(&entry.path) && written.len() < MAX_LINE_BYTES {
            let written = String::from_utf8_lossy(&written);
            assert_eq!(line::read(&written), Ok(Some(entry)));
        }
    }
}

/// A file of type definitions: names can stand in a path and in an index's expression, and what was read is read the
/// same when it is written again.
pub fn type_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(read) = read_types(&[("types.json", text)]) else { return };
    let legal = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    for read in &read {
        let definition = &read.definition;
        assert!(legal(&definition.id, "_-"), "{definition:?}");
        let indexes = definition.indexes();
        assert!(indexes.iter().flatten().all(|field| legal(field, "_-.$")), "{definition:?}");
        assert!(definition.repo_key.iter().all(|field| legal(field, "_-.$")), "{definition:?}");
        assert!(indexes.iter().all(|fields| !fields.is_empty()), "{definition:?}");
    }
    let types: Vec<Value> = read.iter().map(|read| document(&read.definition)).collect();
    let again = read_types(&[("types.json", json!({ "types": types }).to_string())]);
    let again: Vec<TypeDefinition> =
        again.iter().flatten().map(|read| read.definition.clone()).collect();
    assert!(read.iter().map(|read| &read.definition).eq(&again), "{types:?}");
}

/// A definition as a file has it.
fn document(definition: &TypeDefinition) -> Value {
    let mut written = serde_json::to_value(definition).unwrap_or_default();
    let key = definition.unit_key.iter().map(|field| {
        if field.from_artifact {
            json!({ "name": field.name, "from": "artifact" })
        } else {
            json!(field.name)
        }
    });
    written["unit_key"] = key.collect();
    if let (Some(fields), None) = (written.as_object_mut(), &definition.attributes) {
        fields.remove("attributes");
    }
    written
}

/// Paragraphs of apt's files: what is written of a paragraph is read the same; versions have one order.
pub fn deb_control(bytes: &[u8]) {
    let mut reader = ControlReader::new(bytes, 4096);
    let mut before = String::new();
    while let Ok(Some(paragraph)) = reader.read_next() {
        let written = paragraph.without(&[]).into_owned();
        let mut again = ControlReader::new(written.as_bytes(), 2 * 4096);
        let same = again.read_next().map(|again| again.map(|it| it.without(&[]).into_owned()));
        assert_eq!(same.ok().flatten().as_ref(), Some(&written));
        let version = paragraph.text("Version").unwrap_or_default().into_owned();
        let order = version::compare(&before, &version);
        assert_eq!(version::compare(&version, &before), order.reverse());
        before = version;
    }
}

/// A `Release`, plain or signed: listed paths stay inside, and digests are digests.
pub fn deb_release(bytes: &[u8]) {
    let text = release::split(bytes).map_or_else(|_plain| bytes.to_vec(), |signed| signed.text);
    let Ok(release) = Release::read(&text) else { return };
    for (path, listed) in release.digests.iter() {
        assert!(path.split('/').all(|segment| !matches!(segment, "" | "." | "..")), "{path}");
        let digits =
            |hex: &String| hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert!(listed.sha256.iter().all(|hex| hex.len() == 64 && digits(hex)), "{listed:?}");
    }
    if let Some(text) = release.date.and_then(release::write_date) {
        let again = release::read_date(&text);
        assert!(again.is_none() || again == release.date, "{text}");
    }
}

/// A `.deb`: nothing it says makes the reader take much, or write anything.
pub fn deb_package(bytes: &[u8]) {
    if let Ok(control) = package::read(bytes) {
        assert!(control.len() <= 256 << 10);
    }
}

/// Keys that a user trusts, and what claims to be a signature: nothing is one that our key did not make.
pub fn openpgp(bytes: &[u8]) {
    static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or_default();
        let key = SecretKey::generate("fuzz", Algorithm::Ed25519, now).expect("a key is made");
        Keyring::read(&[key.public().to_owned()]).expect("our own key is read")
    });
    // 2033: beyond what the corpus holds.
    let now = 2_000_000_000;
    for keyring in [Some(KEYRING.clone()), Keyring::read(&[text_of(bytes)]).ok()] {
        let Some(keyring) = keyring else { continue };
        assert!(keyring.verify(b"text", bytes, now).is_err());
        assert!(keyring.verify_text(b"text", bytes, now).is_err());
    }
    drop(SecretKey::read(&text_of(bytes), now));
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A project page, and a list of projects, in JSON.
pub fn simple_json(bytes: &[u8]) {
    simple(Format::Json, bytes);
}

/// The same in HTML.
pub fn simple_html(bytes: &[u8]) {
    simple(Format::Html, bytes);
}

/// Whatever is read can be fetched from the web and be held against a digest; names are normal ones.
fn simple(format: Format, bytes: &[u8]) {
    let base = Url::parse("https://x.example/simple/x/").expect("it is an address");
    if let Ok(page) = index::page(format, bytes, &base) {
        for file in page.files {
            let url = Url::parse(&file.url).expect("an address stays one");
            assert!(matches!(url.scheme(), "http" | "https") && url.fragment().is_none());
            assert!(url.username().is_empty() && url.password().is_none(), "{url}");
            let hex = |text: &String| text.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(file.hashes.values().all(hex), "{:?}", file.hashes);
            let sizes = [&file.filename, &file.url];
            assert!(sizes.iter().all(|text| text.len() <= 4 * index::MAX_FIELD_BYTES));
        }
    }
    for name in index::projects(format, bytes).unwrap_or_default() {
        assert_eq!(normalize(&name).as_deref(), Some(name.as_str()));
    }
}

/// A wheel: what comes of it is bounded, and was found in an archive that has one meaning.
pub fn python_wheel(bytes: &[u8]) {
    package_of("x-1-py3-none-any.whl", Kind::Wheel, bytes);
}

/// A source distribution, in either kind of archive.
pub fn python_sdist(bytes: &[u8]) {
    package_of("x-1.tar.gz", Kind::Sdist, bytes);
    package_of("x-1.zip", Kind::Sdist, bytes);
}

/// The reader wants a file, as an upload is one; it lies in memory.
fn package_of(name: &str, kind: Kind, bytes: &[u8]) {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("it takes bytes");
    file.rewind().expect("it is a file");
    if let Ok(metadata) = python_package::read(file, name, kind) {
        assert!(metadata.bytes.len() as u64 <= python_package::MAX_METADATA);
        assert!(!metadata.read.name.is_empty() && !metadata.read.version.is_empty());
    }
}

/// Core metadata: what is used of it is one line each.
pub fn python_metadata(bytes: &[u8]) {
    if let Ok(read) = CoreMetadata::read(bytes) {
        let all = [Some(&read.name), Some(&read.version), read.requires_python.as_ref()];
        assert!(all.into_iter().flatten().all(|text| !text.is_empty() && !text.contains('\n')));
    }
}

/// The first line is a project, the second the name of a file: what is taken is a plain name, with a version.
pub fn python_filename(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (project, name) = text.split_once('\n').unwrap_or(("six", &text));
    let Some(project) = normalize(project) else { return };
    if let Ok(read) = filename::read(name, &project) {
        assert!(!name.contains(['/', '\\', '\0', '\n']) && !name.starts_with('.'), "{name:?}");
        assert!(name.len() + ".metadata".len() <= 255 && !read.version.is_empty(), "{name:?}");
    }
}

/// The first line is a requirement, all others are versions.
pub fn python_wish(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let Ok(wish) = Wish::read(lines.next().unwrap_or_default()) else { return };
    assert_eq!(normalize(&wish.name).as_ref(), Some(&wish.name));
    let again = Wish::read(&format!("{} {}", wish.name, wish.versions));
    assert_eq!(again.as_ref(), Ok(&wish));
    let distribution =
        |version: &str| Some(Distribution { kind: Kind::Wheel, version: version.to_owned() });
    let files: Vec<_> = lines.map(distribution).collect();
    let name = wish.name.clone();
    let filter = Filter::new(vec![wish], Vec::new(), vec![Kind::Wheel]);
    let all = filter.wanted(&name, &files);
    let latest = filter.keep_latest(1).wanted(&name, &files);
    assert!(all.iter().zip(&latest).all(|(all, latest)| *all || !latest));
    assert_eq!(all.contains(&true), latest.contains(&true));
}

/// A field of relations: written again, it is read the same.
pub fn deb_relation(bytes: &[u8]) {
    let relations = relation::read(&String::from_utf8_lossy(bytes));
    assert_eq!(relation::read(&relation::write(&relations)), relations);
    for relation in relations.iter().flatten() {
        relation.takes("1:2.3-4");
    }
}

/// When a schedule is due, with a moment in the first four bytes: the next time lies ahead of it.
pub fn schedule_rule(bytes: &[u8]) {
    let (moment, text) = bytes.split_at(bytes.len().min(4));
    let after = moment.iter().fold(0_i64, |all, byte| (all << 8) | i64::from(*byte));
    let broken = wharf_engine::fuzzing::schedule_rule(&String::from_utf8_lossy(text), after);
    assert_eq!(broken, Ok(()));
}

/// The first and last bytes of a file that is to become an image.
pub fn image_format(bytes: &[u8]) {
    assert_eq!(wharf_engine::fuzzing::image_format(bytes), Ok(()));
}

/// A path of a repository: its name in a user's folder is safe, and stays what it is.
pub fn folder_name(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(wharf_engine::fuzzing::folder_name(text), Ok(()));
    }
}

/// A configuration of kitovu: what is read can be planned, and what is wrong has a place in the file.
pub fn kitovu_yaml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match wharf_kitovu::read(text) {
        Ok(read) => {
            let (home, base) = (std::path::Path::new("/home/u"), std::path::Path::new("/base"));
            let plan = wharf_kitovu::plan(&read.config, home, base);
            assert_eq!(plan.instances.len(), read.config.connections.len());
            assert!(plan.repositories.iter().all(|one| one.folder.is_absolute()));
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            assert!(faults.iter().all(|fault| fault.at.line > 0 && fault.at.column > 0));
        }
    }
}

/// A template in any of its forms: what is read has a canonical form that is read the same; what is wrong is said.
pub fn image_template(bytes: &[u8]) {
    for form in [Form::Tdl, Form::Toml, Form::Json] {
        match Template::read(bytes, form) {
            Ok(template) => {
                let again = Template::read(template.to_json().as_bytes(), Form::Json);
                assert_eq!(again.as_ref(), Ok(&template));
                assert!(template.files.iter().all(|file| !file.name.contains("/../")));
            }
            Err(problems) => assert!(problems.count() > 0),
        }
    }
}

/// Additions for targets.
pub fn target_content(bytes: &[u8]) {
    if let Err(problems) = TargetContent::read(bytes) {
        assert!(problems.count() > 0);
    }
}

/// What a Moodle site says that courses are and hold: paths stay inside and are there once, every address lies on the site,
/// and what went wrong is never taken for a list.
pub fn moodle_listing(bytes: &[u8]) {
    let site = Url::parse("https://m.example/moodle").expect("it is an address");
    let courses = answer::read::<List<Course>>(bytes).map(|list| list.0).unwrap_or_default();
    let tops =
        courses.iter().filter_map(|course| ListedPath::top().below(&tamed(&course.fullname)).ok());
    let tops = std::iter::once(ListedPath::top()).chain(tops);
    let Ok(sections) = answer::read::<List<Section>>(bytes) else {
        return tops.for_each(|top| inside(top.as_str()));
    };
    assert_eq!(answer::exception(bytes), None);
    let found = layout::files(&ListedPath::top(), &sections.0, &site).unwrap_or_default();
    let mut seen = std::collections::HashSet::new();
    for listed in
        found.iter().filter_map(|one| if let Found::File(it) = one { Some(it) } else { None })
    {
        inside(listed.place.as_str());
        assert!(!listed.place.as_str().is_empty() && seen.insert(&listed.place), "{listed:?}");
        let url = listed.address.on(&site).expect("it was listed on the site");
        assert!(url.as_str().starts_with("https://m.example/moodle/"), "{url}");
        assert_eq!(listed.revision.to_string().parse::<Revision>(), Ok(listed.revision));
        assert!(
            listed.mimetype.as_ref().is_none_or(|kind| kind.is_ascii() && !kind.contains('\n'))
        );
    }
}

/// What a WebDAV server says that a folder holds: paths lie in it, are there once, and make addresses that lie below it.
pub fn webdav_listing(bytes: &[u8]) {
    let root = Url::parse("https://c.example/dav/").expect("it is an address");
    let folder = place::folder("in here").expect("it is a name");
    let asked = place::folder_address(&root, "in here");
    let read = multistatus::read(bytes).now_or_never().expect("bytes in memory make nobody wait");
    let mut seen = std::collections::HashSet::new();
    for entry in dav::entries(&asked, &folder, read.unwrap_or_default()).unwrap_or_default() {
        let path = match entry {
            Entry::Refused { .. } => continue,
            Entry::Folder(path) | Entry::Withheld { path, .. } => path,
            Entry::File(dav::File { path, revision, .. }) => {
                assert!(revision.is_none_or(|it| it.to_string().parse() == Ok(it)));
                path
            }
        };
        inside(path.as_str());
        let href = place::entry(&asked, place::file_address(&root, path.as_str()).as_str());
        let Ok(place::Href::Entry(name)) = href else { panic!("{path} is not in its folder") };
        assert!(folder.below(&name).as_ref() == Ok(&path) && seen.insert(path));
    }
}

/// A path that stays below the folder it is put into.
fn inside(path: &str) {
    let whole = |segment: &str| !matches!(segment, "." | "..") && segment.len() <= 255;
    assert!(
        path.is_empty() || path.split('/').all(|segment| whole(segment) && !segment.is_empty()),
        "{path:?}"
    );
    assert!(
        !path.contains('\\') && !path.chars().any(char::is_control) && path.len() <= 4096,
        "{path:?}"
    );
}

/// A root file system as a plain tar archive: what is taken stays inside, and is the same when it is checked again.
/// Tried as it came, and with the checksums that its headers should have, or nothing that changes would get through.
pub fn image_tree(bytes: &[u8]) {
    image_tree_as_it_is(bytes);
    let mut summed = bytes.to_vec();
    for block in summed.as_chunks_mut::<512>().0 {
        if block.iter().any(|byte| *byte != 0) {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        }
    }
    image_tree_as_it_is(&summed);
}

fn image_tree_as_it_is(bytes: &[u8]) {
    let limits = tree::Limits { unpacked: 1 << 20, members: 64, newest: None };
    let check = |bytes: &[u8]| {
        let mut output = Vec::new();
        let mut rules = tree::Rules::new(&["etc/fstab".to_owned()]).expect("it is a pattern");
        tree::copy_plain(bytes, &mut output, &mut rules, limits).ok().map(|copied| (copied, output))
    };
    let Some((copied, output)) = check(bytes) else { return };
    let (again, same) = check(&output).expect("what was taken is taken again");
    assert!(same == output && again.members == copied.members);
    let mut reader = tree::Reader::new(&output[..], limits.members);
    while let Some(member) = reader.next().expect("what was written can be read") {
        let names = member.path.split(|byte| *byte == b'/');
        let is_name = |name: &[u8]| !name.starts_with(b".wh.") && !matches!(name, b"..");
        assert!(names.into_iter().all(is_name) && !member.path.starts_with(b"/"));
        assert!(!matches!(member.kind, tree::Kind::Device(_)));
    }
}

/// The header of a qcow2 file: what is taken has whole sectors and needs no other file.
pub fn image_disk(bytes: &[u8]) {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if let Ok(header) = DiskHeader::read(bytes, length) {
        assert!(header.virtual_size > 0 && header.virtual_size.is_multiple_of(512));
        assert!(bytes.get(8..20).is_some_and(|backing| backing.iter().all(|byte| *byte == 0)));
    }
}

/// Image Factory's metadata of a plugin: what is read can be used, and what is wrong has a place.
pub fn imagefactory_info(bytes: &[u8]) {
    assert_eq!(fuzzing::imagefactory_info(bytes), Ok(()));
}
