//! What a host and a guardian say to each other over their socket pair.
//!
//! The host sends single bytes; the end of its stream means [`KILL`]. The guardian sends frames of
//! nine bytes:
//!
//! ```text
//! kind (1) | a: i32, little endian (4) | b: i32, little endian (4)
//! ```
//!
//! The end of the guardian's stream means that the whole tree is gone.

/// From the host: send `SIGTERM` to the plugin.
pub(crate) const TERMINATE: u8 = b't';
/// From the host: kill the plugin and all its descendants.
pub(crate) const KILL: u8 = b'k';

/// Exit status of a guardian that could not start the plugin.
pub(crate) const NOT_STARTED: u8 = 126;

/// Size of a [`Report`] on the wire.
pub(crate) const FRAME_BYTES: usize = 9;

/// What was being done when the start failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The guardian prepared itself: session, reaper, limits, threads.
    Prepare,
    /// The kernel was asked to run the plugin's program.
    Execute,
}

/// One message of the guardian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The plugin's program runs.
    Started {
        /// Its process id.
        pid: i32,
    },
    /// It could not be started; the guardian ends.
    Failed {
        /// What went wrong, as in `errno`.
        errno: i32,
        /// While what was done.
        step: Step,
    },
    /// The plugin ended; what it left behind is being killed.
    Ended {
        /// Its raw wait status.
        status: i32,
    },
}

impl Report {
    pub(crate) fn encode(self) -> [u8; FRAME_BYTES] {
        let (kind, a, b) = match self {
            Self::Started { pid } => (b's', pid, 0),
            Self::Failed { errno, step } => (b'f', errno, i32::from(step == Step::Execute)),
            Self::Ended { status } => (b'e', status, 0),
        };
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (a.to_le_bytes(), b.to_le_bytes());
        [kind, a0, a1, a2, a3, b0, b1, b2, b3]
    }

    /// `None`: not a frame of this version.
    pub(crate) fn decode(frame: [u8; FRAME_BYTES]) -> Option<Self> {
        let [kind, a0, a1, a2, a3, b0, b1, b2, b3] = frame;
        let a = i32::from_le_bytes([a0, a1, a2, a3]);
        let b = i32::from_le_bytes([b0, b1, b2, b3]);
        match (kind, b) {
            (b's', _) => Some(Self::Started { pid: a }),
            (b'f', 0) => Some(Self::Failed { errno: a, step: Step::Prepare }),
            (b'f', _) => Some(Self::Failed { errno: a, step: Step::Execute }),
            (b'e', _) => Some(Self::Ended { status: a }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_survives_the_wire() {
        for report in [
            Report::Started { pid: 4_194_304 },
            Report::Failed { errno: 2, step: Step::Execute },
            Report::Failed { errno: 11, step: Step::Prepare },
            Report::Ended { status: 0x0f00 },
        ] {
            assert_eq!(Report::decode(report.encode()), Some(report));
        }
        assert_eq!(Report::decode([0; FRAME_BYTES]), None);
    }
}
