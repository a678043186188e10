//! Asking on the terminal, for what must not be seen there, or for one key.
//!
//! The terminal neither shows nor edits what is typed; the few keys that matter are read here. It is set back when the
//! question is over, however it ends: the one who asks holds the guard, not the thread that reads.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use crate::error::Error;

/// The longest answer.
const MAX_BYTES: usize = 64 << 10;

const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const ERASE: [u8; 2] = [0x08, 0x7f];
const KILL_LINE: u8 = 0x15;

/// Whether there is a terminal to ask on.
pub(crate) fn can_ask() -> bool {
    terminal().is_ok()
}

fn terminal() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Asks, and reads the answer without showing it.
pub(super) async fn hidden(question: &str) -> Result<String, Error> {
    let failed = |error: io::Error| {
        Error::usage(format!("the terminal cannot be used: {error}"), "write - behind the name")
    };
    let mut answer = Answer::default();
    let asked = asked(question, move |byte| {
        answer.take(byte);
        answer.ended.is_some().then(|| std::mem::take(&mut answer))
    });
    let answer = asked.await.map_err(failed)?.unwrap_or_default();
    match answer.ended {
        Some(Ended::Interrupted) => Err(Error::Interrupted),
        _ => String::from_utf8(answer.bytes)
            .map_err(|_invalid| Error::usage("what was typed is no UTF-8", "use a UTF-8 terminal")),
    }
}

/// Asks for one of these words, which is answered by its first letter.
pub(in crate::commands) async fn word(
    question: &str,
    words: &'static [&'static str],
) -> Result<&'static str, Error> {
    let chosen = asked(question, move |byte| match byte {
        INTERRUPT | END => Some(None),
        key => {
            let key = key.to_ascii_lowercase();
            words.iter().find(|word| word.as_bytes().first() == Some(&key)).map(Some)
        }
    });
    let chosen = chosen.await.map_err(|error| {
        Error::usage(format!("the terminal cannot be used: {error}"), "use another one")
    })?;
    chosen.flatten().copied().ok_or(Error::Interrupted)
}

/// Asks, and reads until `take` has enough; `None`: the terminal is gone.
async fn asked<T: Send + 'static>(
    question: &str,
    mut take: impl FnMut(u8) -> Option<T> + Send + 'static,
) -> io::Result<Option<T>> {
    let mut silent = Silent::new(terminal()?)?;
    silent.terminal.write_all(question.as_bytes())?;
    let mut typed = silent.terminal.try_clone()?;
    let read = tokio::task::spawn_blocking(move || {
        let mut byte = [0];
        while typed.read(&mut byte)? == 1 {
            if let Some(answer) = take(byte[0]) {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    });
    let answer = read.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    silent.terminal.write_all(b"\n")?;
    answer
}

/// A terminal that shows nothing, until this is dropped.
struct Silent {
    terminal: File,
    before: Termios,
}

impl Silent {
    fn new(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that is gone needs no setting back.
        tcsetattr(&self.terminal, OptionalActions::Flush, &self.before).ok();
    }
}

#[derive(Debug, Default)]
struct Answer {
    bytes: Vec<u8>,
    ended: Option<Ended>,
}

#[derive(Debug, PartialEq)]
enum Ended {
    Done,
    Interrupted,
}

impl Answer {
    fn take(&mut self, byte: u8) {
        match byte {
            b'\r' | b'\n' | END => self.ended = Some(Ended::Done),
            INTERRUPT => self.ended = Some(Ended::Interrupted),
            KILL_LINE => self.bytes.clear(),
            erase if ERASE.contains(&erase) => {
                // A character, with all bytes that continue it.
                while self.bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if self.bytes.len() < MAX_BYTES => self.bytes.push(byte),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(typed: &[u8]) -> Answer {
        let mut answer = Answer::default();
        typed
            .iter()
            .take_while(|byte| {
                answer.ended.is_none() && {
                    answer.take(**byte);
                    true
                }
            })
            .count();
        answer
    }

    #[test]
    fn the_keys_of_a_terminal_edit_what_is_not_shown() {
        let read = |typed: &[u8]| String::from_utf8(answer(typed).bytes).unwrap();
        assert_eq!(read(b"secret\r"), "secret");
        assert_eq!(read("pässs\x7f\n".as_bytes()), "päss");
        assert_eq!(read("pä\x08\x08x\n".as_bytes()), "x");
        assert_eq!(read(b"wrong\x15right\n"), "right");
        assert_eq!(answer(b"sec\x03").ended, Some(Ended::Interrupted));
        assert_eq!(answer(b"\x04").ended, Some(Ended::Done));
    }
}
