//! Why definitions of types are refused.

/// Why type definitions cannot be used: all offenders of the first class that has any, each with its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", .fault.words(), .offenders.join("; "))]
pub struct TypeErrors {
    /// What is wrong.
    pub fault: TypeFault,
    /// With what.
    pub offenders: Vec<String>,
}

/// A class of what can be wrong with type definitions. They are looked for in this order; each of all definitions
/// before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypeFault {
    /// Not JSON, or not in the strict sense.
    Unparsable,
    /// Files without a list `types`.
    MissingRoot,
    /// Definitions that are no objects.
    NotAnObject,
    /// Attributes that there are not.
    InvalidAttribute,
    /// Attributes that must be there.
    MissingAttribute,
    /// Attributes of a wrong kind.
    InvalidValue,
    /// Names with other characters than letters, digits, `_` and `-`.
    InvalidTypeId,
    /// Types that are defined twice.
    DuplicateType,
    /// Fields that cannot be what they are named for.
    InvalidField,
    /// References to types that nobody defines.
    UndefinedReference,
    /// Attribute schemas that cannot be used.
    UnusableSchema,
    /// More than is read: bytes, types, fields.
    TooLarge,
}

impl TypeFault {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unparsable => "not JSON",
            Self::MissingRoot => "no list \"types\" at the root",
            Self::NotAnObject => "a type is an object",
            Self::InvalidAttribute => "no such attribute",
            Self::MissingAttribute => "attribute missing",
            Self::InvalidValue => "attribute of a wrong kind",
            Self::InvalidTypeId => {
                "the name of a type has 1 to 128 letters, digits, _ and -, and no others"
            }
            Self::DuplicateType => "defined twice",
            Self::InvalidField => "fields cannot be used",
            Self::UndefinedReference => "referenced types that nobody defines",
            Self::UnusableSchema => "schema of attributes cannot be used",
            Self::TooLarge => "too much",
        }
    }

    /// For programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unparsable => "unparsable",
            Self::MissingRoot => "missing_root",
            Self::NotAnObject => "not_an_object",
            Self::InvalidAttribute => "invalid_attribute",
            Self::MissingAttribute => "missing_attribute",
            Self::InvalidValue => "invalid_value",
            Self::InvalidTypeId => "invalid_type_id",
            Self::DuplicateType => "duplicate_type",
            Self::InvalidField => "invalid_field",
            Self::UndefinedReference => "undefined_reference",
            Self::UnusableSchema => "unusable_schema",
            Self::TooLarge => "too_large",
        }
    }
}

/// Collects what is refused until a whole class was looked for.
#[derive(Default)]
pub(super) struct Offenders(Vec<String>);

impl Offenders {
    pub(super) fn add(&mut self, offender: String) {
        self.0.push(offender);
    }

    /// Ends the search for a class.
    pub(super) fn settle(&mut self, fault: TypeFault) -> Result<(), TypeErrors> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(TypeErrors { fault, offenders: std::mem::take(&mut self.0) })
    }
}
