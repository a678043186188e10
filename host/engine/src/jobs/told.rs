//! How far a plugin says it is, held against what can be and against what it said before.

use super::view::Progress;

/// The most that can be counted: what every reader of JSON still tells apart from its neighbours.
const MOST: u64 = 1 << 53;

/// The plugin's last word.
#[derive(Debug, Default)]
pub(crate) struct Told {
    phase: String,
    unit: String,
    done: u64,
}

impl Told {
    /// Puts right what cannot be (F67). What comes back says what it was.
    pub(crate) fn clamp(&mut self, next: &mut Progress) -> Option<&'static str> {
        let same = self.phase == next.phase && self.unit == next.unit;
        let before = if same { self.done } else { 0 };
        let most = if next.total == 0 { MOST } else { next.total.min(MOST) };
        let flaw = if next.done > most || next.total > MOST {
            Some("more than there is")
        } else if next.done < before {
            Some("less than before")
        } else {
            None
        };
        next.total = next.total.min(MOST);
        next.done = next.done.min(most).max(before);
        *self = Self { phase: next.phase.clone(), unit: next.unit.clone(), done: next.done };
        flaw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // F67
    #[test]
    fn nonsense_is_clamped_and_named() {
        let mut told = Told::default();
        let mut say = |phase: &str, done, total| {
            let mut next = Progress { phase: phase.into(), done, total, ..Progress::default() };
            let flaw = told.clamp(&mut next);
            (next.done, next.total, flaw)
        };
        let (above, backwards) = (Some("more than there is"), Some("less than before"));
        assert_eq!(say("a", 5, 0), (5, 0, None));
        assert_eq!(say("a", 6, 10), (6, 10, None));
        assert_eq!(say("a", 3, 10), (6, 10, backwards));
        assert_eq!(say("a", 11, 10), (10, 10, above));
        assert_eq!(say("a", 10, 8), (10, 8, above));
        assert_eq!(say("b", 1, 10), (1, 10, None));
        assert_eq!(say("b", u64::MAX, 0), (MOST, 0, above));
        assert_eq!(say("c", 0, u64::MAX), (0, MOST, above));
        assert_eq!(say("c", u64::MAX, u64::MAX), (MOST, MOST, above));
    }
}
