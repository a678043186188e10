//! `InRelease`: a `Release` inside a signature of `OpenPGP` that leaves it readable.
//!
//! This takes the two apart and verifies nothing. Only what is signed is handed out: text before, behind or between is
//! what an attacker would add, and makes the file unusable (F107). Source: RFC 9580, section 7.

const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
const END: &[u8] = b"-----END PGP SIGNATURE-----";

/// Why a file is not a clear-signed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClearsignError {
    /// It begins with something else.
    #[error("it does not begin with \"-----BEGIN PGP SIGNED MESSAGE-----\"")]
    Begin,
    /// Between the first line and the text stands something else than `Hash:`.
    #[error("a header other than \"Hash\" stands before the signed text")]
    Header,
    /// A line of the text begins with a dash that was not escaped.
    #[error("line {line}: a line of the signed text begins with an unescaped dash")]
    Dash {
        /// Counted from 1.
        line: usize,
    },
    /// A line holds a carriage return, which some take for the end of a line and others do not.
    #[error("line {line}: a carriage return stands inside the line")]
    Return {
        /// Counted from 1.
        line: usize,
    },
    /// There is no signature, or it has no end.
    #[error("it has no complete signature")]
    Signature,
    /// Something follows the signature.
    #[error("something follows the signature")]
    Behind,
}

/// A clear-signed file, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What is signed, dashes unescaped, with `\n` behind each line.
    pub text: Vec<u8>,
    /// The signature, armoured.
    pub signature: Vec<u8>,
}

impl Signed {
    /// The text as it was hashed: the end of its last line belongs to the frame.
    pub fn hashed(&self) -> &[u8] {
        self.text.strip_suffix(b"\n").unwrap_or(&self.text)
    }
}

/// Takes a clear-signed file apart.
///
/// # Errors
/// Anything that is not exactly one signed text with its signature.
pub fn split(file: &[u8]) -> Result<Signed, ClearsignError> {
    let mut lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).enumerate();
    if lines.next().is_none_or(|(_, line)| line != BEGIN) {
        return Err(ClearsignError::Begin);
    }
    loop {
        match lines.next() {
            Some((_, b"")) => break,
            Some((_, line)) if line.starts_with(b"Hash:") => {}
            _ => return Err(ClearsignError::Header),
        }
    }
    let mut text = Vec::with_capacity(file.len());
    loop {
        let (number, line) = lines.next().ok_or(ClearsignError::Signature)?;
        if line == SIGNATURE {
            break;
        }
        let escaped = line.strip_prefix(b"- ");
        if escaped.is_none() && line != b"-" && line.starts_with(b"-") {
            return Err(ClearsignError::Dash { line: number + 1 });
        }
        if line.contains(&b'\r') {
            return Err(ClearsignError::Return { line: number + 1 });
        }
        text.extend_from_slice(escaped.unwrap_or(line));
        text.push(b'\n');
    }
    let mut signature = SIGNATURE.to_vec();
    loop {
        let (_, line) = lines.next().ok_or(ClearsignError::Signature)?;
        signature.push(b'\n');
        signature.extend_from_slice(line);
        if line == END {
            break;
        }
    }
    signature.push(b'\n');
    if lines.any(|(_, line)| !line.is_empty()) {
        return Err(ClearsignError::Behind);
    }
    Ok(Signed { text, signature })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nA: 1\n- -dash\n\nB: 2  \n\
        -----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n";

    #[test]
    fn the_signed_text_is_handed_out_without_its_frame() {
        let signed = split(GOOD.as_bytes()).unwrap();
        assert_eq!(signed.text, b"A: 1\n-dash\n\nB: 2\n");
        assert!(signed.signature.starts_with(SIGNATURE) && signed.signature.ends_with(b"-----\n"));
        assert_eq!(split(GOOD.replace('\n', "\r\n").as_bytes()).unwrap(), signed);
    }

    // F107
    #[test]
    fn text_outside_the_signature_is_refused() {
        use ClearsignError as E;
        assert_eq!(split(format!("B: 0\n{GOOD}").as_bytes()), Err(E::Begin));
        assert_eq!(split(format!("{GOOD}B: 0\n").as_bytes()), Err(E::Behind));
        assert_eq!(split(format!("{GOOD}{GOOD}").as_bytes()), Err(E::Behind));
        assert_eq!(split(GOOD.replace("Hash:", "Comment:").as_bytes()), Err(E::Header));
        assert_eq!(split(GOOD.replace("- -dash", "-dash").as_bytes()), Err(E::Dash { line: 5 }));
        assert_eq!(
            split(GOOD.replace("A: 1", "A: 1\rB: 2").as_bytes()),
            Err(E::Return { line: 4 })
        );
        assert_eq!(split(GOOD.replace("-----END", "- ---END").as_bytes()), Err(E::Signature));
        assert_eq!(split(b"A: 1\n"), Err(E::Begin));
        assert_eq!(split(b""), Err(E::Begin));
    }
}
