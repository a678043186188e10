//! Which program is the guardian.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::launch::builder::is_bare;

/// Which program guards the plugin: see [`crate::guardian_main`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Guardian {
    /// `wharf-launch` beside the running executable. Cargo's folders for tests and examples count as the folder above
    /// them.
    #[default]
    Beside,
    /// The running executable, whose `main` begins with [`crate::guardian_main`]. Any other program
    /// would start itself over and over.
    CurrentExe,
    /// This program, which is a `wharf-launch` of this version or begins with
    /// [`crate::guardian_main`].
    Program(PathBuf),
}

impl Guardian {
    pub(in crate::launch) fn program(&self) -> Result<PathBuf, Error> {
        match self {
            Self::Program(program) if is_bare(program) => Ok(program.clone()),
            // It starts where the plugin runs.
            Self::Program(program) => std::path::absolute(program)
                .map_err(|error| Error::config("the working directory cannot be read", error)),
            Self::CurrentExe => Ok(PathBuf::from("/proc/self/exe")),
            Self::Beside => {
                let exe = std::env::current_exe();
                let exe = exe.map_err(|error| {
                    Error::config("the path of the running executable cannot be read", error)
                })?;
                beside(&exe).ok_or_else(|| {
                    let problem = format!(
                        "wharf-launch is not beside {}; install it there, or call guardian_main and use Guardian::CurrentExe",
                        exe.display()
                    );
                    Error::config(problem, None)
                })
            }
        }
    }
}

fn beside(exe: &Path) -> Option<PathBuf> {
    let folder = exe.parent()?;
    let cargos = folder.file_name().is_some_and(|name| name == "deps" || name == "examples");
    let folder = if cargos { folder.parent()? } else { folder };
    Some(folder.join("wharf-launch")).filter(|program| program.is_file())
}
