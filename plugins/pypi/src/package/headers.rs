//! Core metadata, as far as an index needs it. Source: the core metadata specification; the format is that of mail
//! headers (RFC 822): fields, then an empty line, then a text for people.

/// The longest value of a field that is used.
const MAX_VALUE: usize = 8 << 10;

/// Why metadata is not right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is no text.
    #[error("it is not UTF-8")]
    Utf8,
    /// A line that is no field.
    #[error("line {0} is no field")]
    Line(usize),
    /// A field that is needed is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field that may stand there once is there twice, with two values.
    #[error("{0} is there twice")]
    Twice(&'static str),
    /// The value of a field is too long.
    #[error("{0} is longer than {MAX_VALUE} bytes")]
    Long(&'static str),
}

/// What metadata says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreMetadata {
    /// The project's name, as its authors write it.
    pub name: String,
    /// The version, as it is written.
    pub version: String,
    /// Which versions of Python it is for.
    pub requires_python: Option<String>,
}

impl CoreMetadata {
    /// Reads a METADATA or PKG-INFO.
    ///
    /// # Errors
    /// It is none.
    pub fn read(bytes: &[u8]) -> Result<Self, HeaderError> {
        let text = std::str::from_utf8(bytes).map_err(|_error| HeaderError::Utf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (mut name, mut version, mut requires_python) = (None, None, None);
        let mut any = false;
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                break;
            }
            // A line that goes on belongs to the field above; those that are used here never need one.
            if line.starts_with([' ', '\t']) && any {
                continue;
            }
            let (field, value) = line.split_once(':').ok_or(HeaderError::Line(number + 1))?;
            any = true;
            let (slot, what): (&mut Option<String>, _) = match field.to_ascii_lowercase().as_str() {
                "name" => (&mut name, "Name"),
                "version" => (&mut version, "Version"),
                "requires-python" => (&mut requires_python, "Requires-Python"),
                _ => continue,
            };
            let value = value.trim();
            if value.len() > MAX_VALUE {
                return Err(HeaderError::Long(what));
            }
            if slot.as_deref().is_some_and(|before| before != value) {
                return Err(HeaderError::Twice(what));
            }
            *slot = Some(value.to_owned());
        }
        let filled = |value: Option<String>| value.filter(|value| !value.is_empty());
        Ok(Self {
            name: filled(name).ok_or(HeaderError::Missing("Name"))?,
            version: filled(version).ok_or(HeaderError::Missing("Version"))?,
            requires_python: filled(requires_python),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CoreMetadata, HeaderError> {
        CoreMetadata::read(text.as_bytes())
    }

    #[test]
    fn fields_are_read_and_the_text_for_people_is_not() {
        let text = "Metadata-Version: 2.1\r\nName: Foo.Bar\r\nVersion: 1.0\r\nDescription: a\r\n   b\r\n\
                    requires-python: >=3.8\r\n\r\nName: other\r\n";
        let good = read(text).unwrap();
        assert_eq!((good.name.as_str(), good.version.as_str()), ("Foo.Bar", "1.0"));
        assert_eq!(good.requires_python.as_deref(), Some(">=3.8"));
    }

    // F117
    #[test]
    fn metadata_that_says_two_things_or_nothing_is_refused() {
        use HeaderError as E;
        assert_eq!(read(""), Err(E::Missing("Name")));
        assert_eq!(read("Name: a\n"), Err(E::Missing("Version")));
        assert_eq!(read("Name: a\nName: b\nVersion: 1\n"), Err(E::Twice("Name")));
        assert_eq!(read("Name: a\nnonsense\n"), Err(E::Line(2)));
        assert_eq!(read(" a: b\n"), Err(E::Missing("Name")));
        assert_eq!(CoreMetadata::read(b"Name: \xff\n"), Err(E::Utf8));
        let long = format!("Name: {}\nVersion: 1\n", "a".repeat(9 << 10));
        assert_eq!(read(&long), Err(E::Long("Name")));
    }
}
