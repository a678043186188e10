//! From a paragraph of an index to a unit.

use std::borrow::Cow;

use wharf_sdk::{Error, File, Unit};

use super::settings::Settings;
use crate::control::Paragraph;
use crate::names;
use crate::types::{DEB, DebKey, PackageInfo, SOURCE, SourceKey};
use crate::version::without_epoch;

/// Fields that say where a package's file is, and what it is. The distributor writes its own.
const PLACED: &[&str] = &["Filename", "Size", "MD5sum", "SHA1", "SHA256", "SHA512"];
/// The fields of a source package that say where its files are.
const SOURCE_PLACED: &[&str] = &["Directory"];
/// The most files of one source package.
pub(super) const MAX_SOURCE_FILES: usize = 256;

/// A unit on its way, and what stands in its place.
pub(super) struct Declared {
    /// For people: the name of its file.
    pub(super) name: String,
    /// What another unit in the same place has too.
    pub(super) place: String,
    /// `KIND:HEX`; of a source package, that of its `.dsc`.
    pub(super) digest: String,
    pub(super) unit: Unit,
}

/// Where the paragraphs of an index belong.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) settings: Settings,
    pub(super) distribution: String,
    pub(super) component: String,
}

impl Place {
    pub(super) fn area(&self) -> String {
        format!("{}/{}", self.distribution, self.component)
    }
}

/// A paragraph that makes no unit: its name, and why.
pub(super) type Refused = (String, Error);

/// A binary package.
pub(super) fn binary(place: &Place, paragraph: &Paragraph<'_>) -> Result<Declared, Refused> {
    let field = |name| required(paragraph, name);
    let (package, version) = (field("Package")?, field("Version")?);
    let architecture = architecture(paragraph).filter(|value| !value.is_empty());
    let Some(architecture) = architecture else { return Err(missing(paragraph, "Architecture")) };
    let good = names::is_package(&package)
        && names::is_version(&version)
        && names::is_architecture(&architecture);
    let ending = ending(&paragraph.text("Filename").unwrap_or_default());
    let name = format!("{package}_{}_{architecture}.{ending}", without_epoch(&version));
    if !good {
        return Err(refused(
            &name,
            "content.field",
            "its name, version or architecture has characters that none has",
        ));
    }
    let Some(path) = names::path(&field("Filename")?) else {
        return Err(refused(&name, "content.path", "its Filename leads out of the repository"));
    };
    let Some(size) = names::size(&field("Size")?) else {
        return Err(refused(&name, "content.field", "its Size is no number"));
    };
    let Some(digest) = digest(paragraph) else {
        let why = "it is listed without a digest that is one";
        return Err(refused(&name, "policy.digest", why));
    };
    // Where only a weak one is listed, the host finds the sha256 in the bytes, or refuses them.
    let sha256 = digest.strip_prefix("sha256:").unwrap_or_default();
    let address = place.settings.address(&path);
    let file = File::at(name.clone()).size(size).digest(digest.clone()).url(address);
    let slot = format!("{package} {version} {architecture}");
    let unit = binary_unit(place, paragraph, &[&package, &version, &architecture, sha256], &name)?;
    Ok(Declared { name, place: slot, digest, unit: unit.file(file) })
}

/// The best digest that a package is listed with, as `KIND:HEX`.
fn digest(paragraph: &Paragraph<'_>) -> Option<String> {
    let kinds = [("SHA256", "sha256", 64), ("SHA1", "sha1", 40), ("MD5sum", "md5", 32)];
    kinds.into_iter().find_map(|(field, kind, digits)| {
        let hex = names::hex(&paragraph.text(field)?, digits)?;
        Some(format!("{kind}:{hex}"))
    })
}

/// What a package is for. A variant of an architecture has packages of its own beside those of the plain one, under the
/// same name and version, so it counts as an architecture. Source: dpkg's and apt's field `Architecture-Variant`.
pub(super) fn architecture<'a>(paragraph: &Paragraph<'a>) -> Option<Cow<'a, str>> {
    paragraph.text("Architecture-Variant").or_else(|| paragraph.text("Architecture"))
}

/// Packages of the installer and those with debugging symbols have endings of their own.
fn ending(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "udeb")) => "udeb",
        Some((_, "ddeb")) => "ddeb",
        _ => "deb",
    }
}

/// The unit of a binary package, still without its file. `words`: package, version, architecture, digest.
pub(super) fn binary_unit(
    place: &Place,
    paragraph: &Paragraph<'_>,
    words: &[&str; 4],
    name: &str,
) -> Result<Unit, Refused> {
    let [package, version, architecture, sha256] = words;
    let key = DebKey {
        distribution: Cow::Borrowed(&place.distribution),
        component: Cow::Borrowed(&place.component),
        package: Cow::Borrowed(package),
        version: Cow::Borrowed(version),
        architecture: Cow::Borrowed(architecture),
        sha256: Cow::Borrowed(sha256),
    };
    let source = paragraph.text("Source").unwrap_or_default();
    let source = source.split_ascii_whitespace().next().unwrap_or_default();
    let source = if source == *package || !names::is_package(source) { "" } else { source };
    let info = PackageInfo {
        area: Cow::Owned(place.area()),
        source: Cow::Borrowed(source),
        control: paragraph.without(PLACED),
    };
    unit(DEB, &key, &info).map_err(|error| (name.to_owned(), error))
}

/// A source package with all its files, as an index lists it.
pub(super) fn source(place: &Place, paragraph: &Paragraph<'_>) -> Result<Declared, Refused> {
    let Some(folder) = names::path(&required(paragraph, "Directory")?) else {
        let name = names::shown(&required(paragraph, "Package")?);
        return Err(refused(&name, "content.path", "its Directory leads out of the repository"));
    };
    let address = |name: &str| place.settings.address(&format!("{folder}/{name}"));
    source_with(place, paragraph, |name, file| file.url(address(name)))
}

/// The same, with the bytes where `located` says.
pub(super) fn source_with(
    place: &Place,
    paragraph: &Paragraph<'_>,
    located: impl Fn(&str, File) -> File,
) -> Result<Declared, Refused> {
    let (package, version) = (required(paragraph, "Package")?, required(paragraph, "Version")?);
    let name = format!("{package}_{}.dsc", without_epoch(&version));
    if !names::is_package(&package) || !names::is_version(&version) {
        return Err(refused(
            &name,
            "content.field",
            "its name or version has characters that none has",
        ));
    }
    let (mut files, mut dsc) = (Vec::new(), None);
    for line in paragraph.lines("Checksums-Sha256").take(MAX_SOURCE_FILES) {
        let Some((sha256, size, file)) = source_file(&line) else {
            return Err(refused(
                &name,
                "content.field",
                "a line of its Checksums-Sha256 cannot be used",
            ));
        };
        if file.rsplit_once('.').is_some_and(|(_, ending)| ending == "dsc") {
            dsc = Some(sha256.clone());
        }
        let bytes = File::at(file.clone()).size(size).sha256(&sha256);
        files.push(located(&file, bytes));
    }
    let Some(sha256) = dsc else {
        let why = "no .dsc is listed with a SHA256; weaker digests do not count";
        return Err(refused(&name, "policy.digest", why));
    };
    let key = SourceKey {
        distribution: Cow::Borrowed(&place.distribution),
        component: Cow::Borrowed(&place.component),
        package: Cow::Borrowed(&package),
        version: Cow::Borrowed(&version),
        sha256: Cow::Borrowed(&sha256),
    };
    let info = PackageInfo {
        area: Cow::Owned(place.area()),
        source: Cow::Borrowed(""),
        control: paragraph.without(SOURCE_PLACED),
    };
    let unit = unit(SOURCE, &key, &info).map_err(|error| (name.clone(), error))?;
    let unit = files.into_iter().fold(unit, Unit::file);
    Ok(Declared { name, place: format!("{package} {version}"), digest: sha256, unit })
}

/// Digest, size and name.
pub(super) fn source_file(line: &str) -> Option<(String, u64, String)> {
    let mut words = line.split_ascii_whitespace();
    let (hex, size, file) = (words.next()?, words.next()?, words.next()?);
    let good = words.next().is_none() && names::is_segment(file);
    good.then_some((names::hex(hex, 64)?, names::size(size)?, file.to_owned()))
}

fn unit<K: serde::Serialize, I: serde::Serialize>(
    kind: &str,
    key: &K,
    info: &I,
) -> Result<Unit, Error> {
    Unit::new(kind).key(key)?.attributes(info)
}

fn required<'a>(paragraph: &Paragraph<'a>, name: &str) -> Result<Cow<'a, str>, Refused> {
    paragraph.text(name).filter(|value| !value.is_empty()).ok_or_else(|| missing(paragraph, name))
}

fn missing(paragraph: &Paragraph<'_>, name: &str) -> Refused {
    let package = paragraph.text("Package").unwrap_or_default();
    let item = format!("{} (line {})", names::shown(&package), paragraph.line());
    refused(&item, "content.field", &format!("it has no {name}"))
}

fn refused(name: &str, code: &str, why: &str) -> Refused {
    (name.to_owned(), Error::operation(code, format!("{why}; the package is left out")))
}
