//! What the two outputs are connected to.

use std::io::IsTerminal;

use crate::environment::Environment;

/// The narrowest width that is still laid out for; narrower terminals wrap.
const MIN_WIDTH: usize = 20;

/// Facts about the terminal, asked once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// Columns of the terminal behind standard output; none: not a terminal, never cut or fold.
    pub(crate) width: Option<usize>,
    /// Columns for progress lines on standard error; none: show no progress.
    pub(crate) progress: Option<usize>,
}

impl Terminal {
    /// Asks the two outputs.
    pub(crate) fn ask(environment: &Environment) -> Self {
        let stdout = std::io::stdout();
        let stderr = std::io::stderr();
        let width = stdout
            .is_terminal()
            .then(|| columns(rustix::termios::tcgetwinsize(&stdout), environment.columns));
        let progress = (stderr.is_terminal() && !environment.dumb)
            .then(|| columns(rustix::termios::tcgetwinsize(&stderr), environment.columns));
        Self { width, progress }
    }
}

fn columns(
    size: Result<rustix::termios::Winsize, rustix::io::Errno>,
    variable: Option<usize>,
) -> usize {
    let asked = size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    variable.or(asked).unwrap_or(80).max(MIN_WIDTH)
}
