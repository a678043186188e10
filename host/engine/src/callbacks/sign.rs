//! Signatures of events, after the Standard Webhooks specification (standardwebhooks.com), version 1, symmetric.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::problem::Problem;

/// What a secret begins with whose rest is base64, as receivers of many makes hand them out.
const PREFIX: &str = "whsec_";
/// Some write the padding, some do not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What both sides know.
pub(super) struct Key(Vec<u8>);

impl Key {
    /// The key that a secret's value stands for: the bytes behind `whsec_`, in base64, or the value as it is.
    ///
    /// # Errors
    /// `usage.secret`, without the value.
    pub(super) fn read(name: &str, value: Vec<u8>) -> Result<Self, Problem> {
        let Some(text) = value.strip_prefix(PREFIX.as_bytes()) else { return Ok(Self(value)) };
        let key = LENIENT.decode(text.trim_ascii()).unwrap_or_default();
        if key.is_empty() {
            let message =
                format!("the secret {name:?} begins with {PREFIX}, but its rest is no base64");
            return Err(Problem::usage("usage.secret", message).help(format!(
                "`wharf secret set {name}` takes it anew, as the receiver shows it"
            )));
        }
        Ok(Self(key))
    }

    /// The value of the header `webhook-signature`.
    pub(super) fn sign(&self, event: &str, timestamp: i64, body: &[u8]) -> Result<String, Problem> {
        let bad = |_length| Problem::fault("internal", "no signature can be made with this key");
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(bad)?;
        mac.update(format!("{event}.{timestamp}.").as_bytes());
        mac.update(body);
        Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the specification's own libraries are tested with.
    const EVENT: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SECRET: &[u8] = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn sign(secret: &[u8]) -> String {
        let key = Key::read("hook", secret.to_vec()).unwrap();
        key.sign(EVENT, 1_614_265_330, BODY).unwrap()
    }

    #[test]
    fn the_published_vector_is_signed_as_published() {
        assert_eq!(sign(SECRET), SIGNED);
    }

    #[test]
    fn a_secret_is_base64_behind_its_prefix_and_bytes_otherwise() {
        let bytes = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(sign(&bytes), SIGNED);
        assert_eq!(sign(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), SIGNED);
        assert_eq!(sign(b"whsec_YQ"), sign(b"whsec_YQ=="));
        assert_eq!(sign(b"whsec_YQ"), sign(b"a"));
        assert_ne!(sign(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), SIGNED);
        for bad in ["whsec_", "whsec_no base64", "whsec_hunter2!"] {
            let problem = Key::read("hook", bad.as_bytes().to_vec()).err().unwrap();
            assert_eq!(problem.code, "usage.secret");
            assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
        }
    }
}
