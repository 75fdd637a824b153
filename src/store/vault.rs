//! Keys. Everything about a patient that is free text, an address or a name is sealed under a key of that patient's own;
//! those keys are wrapped by the site key. Destroying a patient's key erases what it sealed, in every backup too.

use std::path::Path;

use aes_gcm_siv::{
    Aes256GcmSiv, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use hmac::{Hmac, Mac};
use rand::RngCore;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::StoreError;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
const NONCE_BYTES: usize = 12;
/// Bytes of a link token: 128 bits.
pub const TOKEN_BYTES: usize = 16;

/// The key of one patient.
#[derive(Clone)]
pub struct PatientKey(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for PatientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PatientKey")
    }
}

/// The site's keys, all derived from one.
pub struct Vault {
    wrapping: Aes256GcmSiv,
    site: PatientKey,
    hashing: Zeroizing<[u8; KEY_BYTES]>,
    links: Zeroizing<[u8; KEY_BYTES]>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    let mut block = Zeroizing::new([0_u8; 64]);
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    // A key of exactly one block is taken as it is, so this cannot fail.
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&(*block).into());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Keys and nonces must not repeat, whatever else does.
#[expect(clippy::disallowed_methods, reason = "the one place that makes keys and nonces")]
fn fill(bytes: &mut [u8]) {
    rand::rng().fill_bytes(bytes);
}

fn cipher(key: &[u8; KEY_BYTES]) -> Aes256GcmSiv {
    Aes256GcmSiv::new(&(*key).into())
}

fn seal_with(cipher: &Aes256GcmSiv, about: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0_u8; NONCE_BYTES];
    fill(&mut nonce);
    let sealed = cipher.encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: about });
    // Sealing fails only beyond 64 GiB, which no caller can reach; an empty text then never opens.
    [nonce.as_slice(), &sealed.unwrap_or_default()].concat()
}

fn open_with(
    cipher: &Aes256GcmSiv,
    about: &[u8],
    sealed: &[u8],
    what: &'static str,
) -> Result<Vec<u8>, StoreError> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(StoreError::Sealed(what))?;
    cipher
        .decrypt(&Nonce::from(*nonce), Payload { msg: body, aad: about })
        .map_err(|_| StoreError::Sealed(what))
}

impl PatientKey {
    /// Seals `plain`; `what` is bound to it, so that a note cannot be passed off as an address.
    #[must_use]
    pub fn seal(&self, what: &'static str, plain: &[u8]) -> Vec<u8> {
        seal_with(&cipher(&self.0), what.as_bytes(), plain)
    }

    /// Opens what [`PatientKey::seal`] sealed.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when the key or `what` is another one.
    pub fn open(&self, what: &'static str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        open_with(&cipher(&self.0), what.as_bytes(), sealed, what)
    }
}

impl Vault {
    /// All keys of a site from its one key.
    #[must_use]
    pub fn new(site_key: &[u8; KEY_BYTES]) -> Self {
        let derived = |label: &str| Zeroizing::new(mac(site_key, &[label.as_bytes()]));
        Self {
            wrapping: cipher(&derived("wrap")),
            site: PatientKey(derived("site")),
            hashing: derived("hash"),
            links: derived("link"),
        }
    }

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`StoreError::SiteKey`] for anything else.
    pub fn from_hex(text: &str) -> Result<Self, StoreError> {
        let bad = || StoreError::SiteKey("the site key must be 64 hexadecimal digits".into());
        let text = text.trim();
        if text.len() != 2 * KEY_BYTES || !text.is_ascii() {
            return Err(bad());
        }
        let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
        for (slot, at) in key.iter_mut().zip((0..text.len()).step_by(2)) {
            *slot = u8::from_str_radix(text.get(at..at + 2).ok_or_else(bad)?, 16).map_err(|_| bad())?;
        }
        Ok(Self::new(&key))
    }

    /// Reads the key file; makes one, readable by its owner only, when there is none and `make` is set.
    ///
    /// # Errors
    /// [`StoreError::SiteKey`] with what to do.
    pub fn from_file(path: &Path, make: bool) -> Result<Self, StoreError> {
        let shown = path.display();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_hex(&text)
                .map_err(|_| StoreError::SiteKey(format!("{shown} does not hold 64 hexadecimal digits"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && make => {
                let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
                fill(key.as_mut());
                let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
                write_private(path, &hex).map_err(|error| {
                    StoreError::SiteKey(format!("cannot write the site key {shown}: {error}"))
                })?;
                Ok(Self::new(&key))
            }
            Err(error) => Err(StoreError::SiteKey(format!(
                "cannot read the site key {shown}: {error}. Give the file with --site-key-file"
            ))),
        }
    }

    /// A fresh patient key, plain and wrapped for its row.
    #[must_use]
    pub fn fresh_key(&self, patient: u128) -> (PatientKey, Vec<u8>) {
        let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
        fill(key.as_mut());
        let wrapped = seal_with(&self.wrapping, &patient.to_be_bytes(), key.as_ref());
        (PatientKey(key), wrapped)
    }

    /// Unwraps a patient's key.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when the site key is another one.
    pub fn unwrap_key(&self, patient: u128, wrapped: &[u8]) -> Result<PatientKey, StoreError> {
        let plain =
            Zeroizing::new(open_with(&self.wrapping, &patient.to_be_bytes(), wrapped, "patient key")?);
        let key: [u8; KEY_BYTES] =
            plain.as_slice().try_into().map_err(|_| StoreError::Sealed("patient key"))?;
        Ok(PatientKey(Zeroizing::new(key)))
    }

    /// The key for what belongs to no known patient: a text from an unknown number.
    #[must_use]
    pub fn site_key(&self) -> &PatientKey {
        &self.site
    }

    /// A keyed hash, by which a number, identifier or word of a name can be looked up without standing in the file.
    #[must_use]
    pub fn lookup_hash(&self, what: &'static str, text: &str) -> Vec<u8> {
        let hash = mac(self.hashing.as_ref(), &[what.as_bytes(), text.as_bytes()]);
        hash.get(..TOKEN_BYTES).unwrap_or(&hash).to_vec()
    }

    /// The token in a message's link: 128 bits that nobody can guess; the same each time, so it need not be stored.
    #[must_use]
    pub fn link_token(&self, message: u128) -> String {
        let hash = mac(self.links.as_ref(), &[&message.to_be_bytes()]);
        base64url(hash.get(..TOKEN_BYTES).unwrap_or(&hash))
    }
}

/// The hash of a link or session token: all that is stored of it.
#[must_use]
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// The letters of base64url, without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 2);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            let letter = LETTERS.get((group >> (18 - 6 * at)) as usize & 63).copied().unwrap_or(b'A');
            text.push(char::from(letter));
        }
    }
    text
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(not(unix))]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_with_its_key_and_for_its_purpose_only() {
        let vault = Vault::new(&[7; 32]);
        let (key, wrapped) = vault.fresh_key(1);
        let sealed = key.seal("note", b"pain in the left knee");
        assert!(!sealed.windows(4).any(|window| window == b"knee"));
        assert_eq!(key.open("note", &sealed).unwrap(), b"pain in the left knee");
        assert!(key.open("address", &sealed).is_err());
        assert_eq!(
            vault.unwrap_key(1, &wrapped).unwrap().open("note", &sealed).unwrap(),
            b"pain in the left knee"
        );
        assert!(vault.unwrap_key(2, &wrapped).is_err(), "a wrapped key belongs to one patient");
        assert!(Vault::new(&[8; 32]).unwrap_key(1, &wrapped).is_err());
    }

    #[test]
    fn link_tokens_are_22_url_letters_and_differ() {
        let vault = Vault::new(&[7; 32]);
        let token = vault.link_token(1);
        assert_eq!(token.len(), 22);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(token, vault.link_token(1));
        assert_ne!(token, vault.link_token(2));
        assert_eq!(base64url(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw");
    }

    #[test]
    fn a_site_key_is_64_digits() {
        assert!(Vault::from_hex(&"ab".repeat(32)).is_ok());
        assert!(Vault::from_hex(&"ab".repeat(31)).is_err());
        assert!(Vault::from_hex(&"zz".repeat(32)).is_err());
        assert!(Vault::from_hex(&"é".repeat(32)).is_err());
    }

    #[test]
    fn a_key_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.key");
        assert!(Vault::from_file(&path, false).is_err());
        let made = Vault::from_file(&path, true).unwrap();
        let read = Vault::from_file(&path, true).unwrap();
        assert_eq!(made.link_token(5), read.link_token(5));
    }
}
