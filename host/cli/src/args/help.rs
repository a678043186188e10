//! `wharf help`

use clap::{Args, CommandFactory};

use super::Cli;

/// `wharf help`
#[derive(Debug, Args)]
pub(crate) struct Help {
    /// The command, such as `repo diff` [default: what commands there are]
    #[arg(value_name = "COMMAND")]
    pub(crate) path: Vec<String>,
}

impl Help {
    /// What `--help` behind the command would end with: its text, or that there is no such command.
    pub(crate) fn told(&self) -> Option<clap::Error> {
        let words = self.path.iter().map(String::as_str);
        let line = ["wharf"].into_iter().chain(words).chain(["--help"]);
        Cli::command().try_get_matches_from(line).err()
    }
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn told(path: &[&str]) -> clap::Error {
        let path = path.iter().map(|&word| word.to_owned()).collect();
        Help { path }.told().expect("it never goes through")
    }

    #[test]
    fn help_of_a_command_is_what_the_option_says() {
        let diff = told(&["repo", "diff"]);
        assert_eq!(diff.kind(), ErrorKind::DisplayHelp);
        assert!(diff.to_string().contains("Usage: wharf repo diff"), "{diff}");
        assert!(told(&[]).to_string().contains("Usage: wharf "));
    }

    #[test]
    fn help_of_what_is_no_command_is_wrong_usage() {
        assert_eq!(told(&["frobnicate"]).exit_code(), 2);
    }
}
