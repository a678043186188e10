//! Relations between packages: `Depends`, `Pre-Depends`, `Provides`.
//!
//! Source: Debian Policy, section 7.1; deb-control(5). Restrictions in brackets belong to source packages and are passed
//! over, and so is `:any` behind a name: which architecture is asked for is the caller's business. What breaks the rules
//! is read as far as it makes sense: such a package is in the field already.

use std::cmp::Ordering;
use std::fmt;

use crate::version;

/// One package that is asked for, or provided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The package's name.
    pub name: String,
    /// How its version must compare, and with which.
    pub version: Option<(Relator, String)>,
}

/// How a version must compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relator {
    /// `<<`
    Earlier,
    /// `<=`, and what `<` always meant.
    EarlierOrEqual,
    /// `=`
    Equal,
    /// `>=`, and what `>` always meant.
    LaterOrEqual,
    /// `>>`
    Later,
}

impl Relator {
    const ALL: [(&str, Self); 7] = [
        ("<<", Self::Earlier),
        ("<=", Self::EarlierOrEqual),
        (">=", Self::LaterOrEqual),
        (">>", Self::Later),
        ("<", Self::EarlierOrEqual),
        (">", Self::LaterOrEqual),
        ("=", Self::Equal),
    ];

    /// Whether a version that compares so is meant.
    fn takes(self, ordering: Ordering) -> bool {
        match self {
            Self::Earlier => ordering.is_lt(),
            Self::EarlierOrEqual => ordering.is_le(),
            Self::Equal => ordering.is_eq(),
            Self::LaterOrEqual => ordering.is_ge(),
            Self::Later => ordering.is_gt(),
        }
    }
}

impl Relation {
    /// Reads `NAME[:ARCHITECTURE] [(RELATOR VERSION)]`, and passes over what follows.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|it: char| it.is_whitespace() || matches!(it, '(' | '[' | '<'));
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        let name = name.split(':').next().filter(|name| !name.is_empty())?;
        Some(Self { name: name.to_owned(), version: Self::constraint(rest) })
    }

    fn constraint(rest: &str) -> Option<(Relator, String)> {
        let inner = rest.trim_start().strip_prefix('(')?.split(')').next()?.trim();
        let (sign, relator) = Relator::ALL.iter().find(|(sign, _)| inner.starts_with(sign))?;
        let version = inner.get(sign.len()..)?.split_whitespace().next()?;
        Some((*relator, version.to_owned()))
    }

    /// Whether a package of this version is what is asked for.
    pub fn takes(&self, found: &str) -> bool {
        self.version
            .as_ref()
            .is_none_or(|(relator, wanted)| relator.takes(version::compare(found, wanted)))
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some((relator, version)) = &self.version {
            let sign = Relator::ALL.iter().find(|(_, one)| one == relator);
            write!(f, " ({} {version})", sign.map_or("=", |(sign, _)| sign))?;
        }
        Ok(())
    }
}

/// The relations of a field: all of them must hold, each by one of its alternatives at least.
pub fn read(field: &str) -> Vec<Vec<Relation>> {
    field
        .split(',')
        .map(|group| group.split('|').filter_map(Relation::read).collect::<Vec<_>>())
        .filter(|group| !group.is_empty())
        .collect()
}

/// The field again.
pub fn write(relations: &[Vec<Relation>]) -> String {
    let group = |group: &Vec<Relation>| {
        group.iter().map(Relation::to_string).collect::<Vec<_>>().join(" | ")
    };
    relations.iter().map(group).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_policy_says() {
        let text =
            "libc6 (>= 2.36), a:any|b ( <<1:2~ ) ,\n c [amd64 !i386] <!nocheck>, d(= 1), e (< 3)";
        let relations = read(text);
        let again = "libc6 (>= 2.36), a | b (<< 1:2~), c, d (= 1), e (<= 3)";
        assert_eq!(write(&relations), again);
        assert_eq!(read(again), relations);
    }

    #[test]
    fn what_breaks_the_rules_is_read_as_far_as_it_makes_sense() {
        assert_eq!(write(&read(", | ,a (), b (1), (>= 2), c (>=), d (>= 1")), "a, b, c, d (>= 1)");
    }

    #[test]
    fn versions_are_held_against_the_relation() {
        let takes = |relation: &str, version: &str| read(relation)[0][0].takes(version);
        assert!(takes("a", "1") && takes("a (>= 1)", "1") && takes("a (>> 1~)", "1"));
        assert!(!takes("a (>> 1)", "1") && !takes("a (<< 1)", "1") && !takes("a (= 1-1)", "1-2"));
        assert!(takes("a (<= 1)", "1~rc1") && takes("a (= 0:1)", "1"));
    }
}
