//! Signatures that count, and those that do not.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use pgp::composed::{ArmorOptions, Deserializable as _, DetachedSignature, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    Notation, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData as Data,
};
use pgp::types::{Duration, KeyDetails as _, Password, Timestamp};
use wharf_openpgp::{Algorithm, Flaw, Form, KeyError, Keyring, Refusal, SecretKey};

/// The present, once: keys are bound at the time that the clock says.
static NOW: LazyLock<i64> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
});
const DIGEST: HashAlgorithm = HashAlgorithm::Sha512;
const TEXT: &[u8] = b"Origin: Test\nDate: today\n";

fn key() -> SecretKey {
    SecretKey::generate("Test <t@example.org>", Algorithm::Ed25519, *NOW).unwrap()
}

fn trusting(keys: &[&SecretKey]) -> Keyring {
    Keyring::read(&keys.iter().map(|key| key.public().to_owned()).collect::<Vec<_>>()).unwrap()
}

/// A signature with parts of one's own choice.
fn odd(
    key: &SecretKey,
    digest: HashAlgorithm,
    hashed: Vec<Subpacket>,
    kind: SignatureType,
) -> Signature {
    let text = key.write().unwrap();
    let (key, _) = SignedSecretKey::from_armor_single(text.as_bytes()).unwrap();
    let mut config = SignatureConfig::v4(kind, key.algorithm(), digest);
    config.hashed_subpackets = hashed;
    config.unhashed_subpackets =
        vec![Subpacket::regular(Data::IssuerKeyId(key.legacy_key_id())).unwrap()];
    // Most of what does not count the library makes; the rest is put together from a good one.
    config.clone().sign(&key.primary_key, &Password::empty(), TEXT).unwrap_or_else(|_refused| {
        let mut good = SignatureConfig::v4(SignatureType::Binary, key.algorithm(), DIGEST);
        good.hashed_subpackets = vec![made(*NOW)];
        let good = good.sign(&key.primary_key, &Password::empty(), TEXT).unwrap();
        Signature::from_config(config, [0, 0], good.signature().unwrap().clone()).unwrap()
    })
}

fn made(at: i64) -> Subpacket {
    let at = Timestamp::from_secs(u32::try_from(at).unwrap());
    Subpacket::regular(Data::SignatureCreationTime(at)).unwrap()
}

fn armored(signature: Signature) -> Vec<u8> {
    DetachedSignature::new(signature).to_armored_bytes(ArmorOptions::default()).unwrap()
}

fn flaw(hashed: Vec<Subpacket>) -> Refusal {
    let key = key();
    let signature = odd(&key, DIGEST, hashed, SignatureType::Binary);
    trusting(&[&key]).verify(TEXT, &armored(signature), *NOW).unwrap_err()
}

#[test]
fn a_signature_is_good_for_its_bytes_only() {
    let key = key();
    for form in [Form::Armored, Form::Binary] {
        let signature = key.detached(TEXT, form, *NOW).unwrap();
        let keyring = trusting(&[&key]);
        let verified = keyring.verify(TEXT, &signature, *NOW).unwrap();
        let signers: Vec<_> = verified.signers.keys().collect();
        assert_eq!(signers, [&key.certificate().fingerprint]);
        assert_eq!(verified.until(), None);
        // F107
        let other = keyring.verify(b"Origin: Test\n", &signature, *NOW).unwrap_err();
        assert_eq!(other, Refusal::Bad { key: key.certificate().fingerprint.clone() });
    }
}

// F105
#[test]
fn a_stranger_and_nobody_are_told_apart() {
    let (ours, theirs) = (key(), key());
    let signature = theirs.detached(TEXT, Form::Armored, *NOW).unwrap();
    let keyring = trusting(&[&ours]);
    let keys = theirs.certificate().fingerprint.clone();
    assert_eq!(keyring.verify(TEXT, &signature, *NOW), Err(Refusal::Untrusted { keys }));
    assert_eq!(keyring.verify(TEXT, b"", *NOW), Err(Refusal::Empty));
    let garbage = keyring.verify(TEXT, b"-----BEGIN PGP SIGNATURE-----\n\nnothing\n", *NOW);
    assert_eq!(garbage.unwrap_err().code(), "signature.malformed");
    let both = trusting(&[&ours, &theirs]);
    assert!(both.verify(TEXT, &signature, *NOW).is_ok());
    let only = both.only(&[ours.certificate().fingerprint.to_lowercase()]);
    assert_eq!(only.verify(TEXT, &signature, *NOW).unwrap_err().code(), "signature.key");
}

// F105
#[test]
fn what_is_over_early_undated_or_not_understood_does_not_count() {
    let lasts = Subpacket::regular(Data::SignatureExpirationTime(Duration::from_secs(60))).unwrap();
    let code = |hashed| flaw(hashed).code();
    assert_eq!(code(vec![made(*NOW - 100), lasts]), "signature.expired");
    assert_eq!(code(vec![made(*NOW + 3600)]), "signature.early");
    assert_eq!(code(vec![]), "signature.bad");
    let notation = Notation {
        readable: true,
        name: "odd@example.org".as_bytes().to_vec().into(),
        value: "1".as_bytes().to_vec().into(),
    };
    let notation = Subpacket::critical(Data::Notation(notation)).unwrap();
    let told = flaw(vec![made(*NOW), notation]);
    assert!(told.to_string().contains("critical option \"odd@example.org\""), "{told}");
    let unknown = Data::Other(99, vec![1, 2].into());
    assert_eq!(
        code(vec![made(*NOW), Subpacket::critical(unknown.clone()).unwrap()]),
        "signature.critical"
    );
    let key = key();
    let harmless = vec![made(*NOW), Subpacket::regular(unknown).unwrap()];
    let signature = odd(&key, DIGEST, harmless, SignatureType::Binary);
    assert!(trusting(&[&key]).verify(TEXT, &armored(signature), *NOW).is_ok());
}

// F104
#[test]
fn a_weak_digest_does_not_count() {
    let key = key();
    for digest in [HashAlgorithm::Sha1, HashAlgorithm::Md5, HashAlgorithm::Sha224] {
        let signature = odd(&key, digest, vec![made(*NOW)], SignatureType::Binary);
        let refused = trusting(&[&key]).verify(TEXT, &armored(signature), *NOW).unwrap_err();
        assert_eq!(refused.code(), "signature.weak", "{refused}");
    }
    let good = odd(&key, HashAlgorithm::Sha256, vec![made(*NOW)], SignatureType::Binary);
    assert!(trusting(&[&key]).verify(TEXT, &armored(good), *NOW).is_ok());
}

#[test]
fn a_signature_of_another_kind_is_none_of_a_document() {
    let key = key();
    for kind in [SignatureType::Standalone, SignatureType::CertPositive, SignatureType::Timestamp] {
        let signature = odd(&key, DIGEST, vec![made(*NOW)], kind);
        assert!(trusting(&[&key]).verify(TEXT, &armored(signature), *NOW).is_err(), "{kind:?}");
    }
}

// F108
#[test]
fn a_key_that_signs_twice_is_one_signer() {
    let (one, two) = (key(), key());
    let mut many = Vec::new();
    for (key, at) in [(&one, *NOW), (&one, *NOW - 1), (&two, *NOW), (&one, *NOW - 2)] {
        many.extend(key.detached(TEXT, Form::Binary, at).unwrap());
    }
    // The same key twice in the keyring is one key as well.
    let verified = trusting(&[&one, &two, &one]).verify(TEXT, &many, *NOW).unwrap();
    assert_eq!(verified.signers.len(), 2, "{verified:?}");
    let verified = trusting(&[&one]).verify(TEXT, &many, *NOW).unwrap();
    assert_eq!(verified.signers.len(), 1, "one good signature suffices, and counts once");
}

#[test]
fn a_clear_signed_text_is_the_one_that_its_signature_is_of() {
    let key = key();
    let signed = key.clearsign("Origin: Test \n- dash\nComponents: \n", *NOW).unwrap();
    let text = String::from_utf8(signed).unwrap();
    let begin = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nOrigin: Test\n- - dash\nComponents:\n-----BEGIN PGP SIGNATURE-----\n";
    assert!(text.starts_with(begin), "{text}");
    let place = text.find("-----BEGIN PGP SIGNATURE").unwrap();
    let signature = &text.as_bytes()[place..];
    let keyring = trusting(&[&key]);
    assert!(keyring.verify_text(b"Origin: Test\n- dash\nComponents:", signature, *NOW).is_ok());
    assert!(keyring.verify_text(b"Origin: Best\n- dash\nComponents:", signature, *NOW).is_err());
    let detached = key.detached(TEXT, Form::Armored, *NOW).unwrap();
    assert!(keyring.verify_text(TEXT, &detached, *NOW).is_err(), "it is one of bytes");
}

#[test]
fn keys_are_read_as_they_are_exported() {
    let (one, two) = (key(), key());
    let (public, other) = (one.public(), two.public());
    let read = |text: &str| Keyring::read(&[text.to_owned()]);
    let both = read(&format!("a comment\n{public}\n{other}")).unwrap();
    assert!(
        both.knows(&one.certificate().fingerprint) && both.knows(&two.certificate().fingerprint)
    );
    let lines: String = public
        .lines()
        .skip_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with(['-', '=']))
        .collect();
    assert!(read(&lines).unwrap().knows(&one.certificate().fingerprint), "a keyring in base64");
    assert_eq!(read(&one.write().unwrap()).unwrap_err(), KeyError::Secret);
    assert!(matches!(read("hello, world").unwrap_err(), KeyError::Unreadable(_)));
    assert!(read("").is_err() && read("-----BEGIN PGP PUBLIC KEY BLOCK-----").is_err());
}

#[test]
fn a_secret_key_is_read_again_and_others_are_told_apart() {
    let key = key();
    let text = key.write().unwrap();
    let again = SecretKey::read(&text, *NOW).map_err(|error| error.to_string());
    assert_eq!(again.ok().unwrap().certificate(), key.certificate());
    assert_eq!(SecretKey::read(key.public(), *NOW).err(), Some(KeyError::Public));
    assert!(matches!(SecretKey::read("no key", *NOW).err(), Some(KeyError::Unreadable(_))));
    let early = SecretKey::read(&text, *NOW - 5000).err();
    assert!(matches!(&early, Some(KeyError::Flawed { flaw: Flaw::Early(_), .. })), "{early:?}");
}
