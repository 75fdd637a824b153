//! Signing in and out. Sessions and limits go by the wall clock, never by the demo's.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use jiff::{SignedDuration, Timestamp};
use rand::RngCore;
use tokio::sync::Semaphore;

use super::App;
use crate::store::{StoreError, read::staff::StaffMember, token_hash};

/// A session without a request for this long is over.
pub const IDLE_MINUTES: i64 = 15;
/// A session is over after this long, however busy.
pub const SESSION_HOURS: i64 = 12;
/// A session's last use is written down at most this often.
pub const TOUCH_SECONDS: i64 = 30;
/// Failed tries of one login within [`WINDOW_MINUTES`] before the next is refused unseen.
pub const FAILURES_PER_LOGIN: u64 = 5;
/// Failed tries from one address within [`WINDOW_MINUTES`] before the next is refused unseen.
pub const FAILURES_PER_ADDRESS: u64 = 30;
/// The window of the two limits.
pub const WINDOW_MINUTES: i64 = 15;
/// Longest password that is looked at, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Longest login, in bytes.
pub const LOGIN_BYTES_MAX: usize = 80;
/// Passwords are hashed this many at a time: each takes 19 MiB.
const HASHES_AT_ONCE: usize = 2;
const TOKEN_BYTES: usize = 32;
/// For so long a session that was looked up is not looked up again.
const SESSION_AGE_MAX: SignedDuration = SignedDuration::from_secs(1);
/// Sessions that are kept.
const SESSIONS_KEPT_MAX: usize = 1_000;

static HASHING: Semaphore = Semaphore::const_new(HASHES_AT_ONCE);
/// Compared with when the login does not exist, so that the answer takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_password("nobody").unwrap_or_default());

/// How an attempt to sign in ended.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// A session was opened; the token goes into the cookie and nowhere else.
    Welcome {
        /// The session's secret.
        token: String,
        /// Who.
        staff: StaffMember,
    },
    /// No such login, wrong password, or not active: told apart by nobody.
    Wrong,
    /// Too many failed tries.
    Limited {
        /// Until then.
        minutes: i64,
    },
}

/// Why signing in failed on our side.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hash could not be computed.
    #[error("the password could not be checked: {0}")]
    Hash(String),
}

/// Argon2id with the parameters that OWASP recommends: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// The PHC string of a password.
///
/// # Errors
/// In the words of the library; for a password within limits it does not happen.
pub fn hash_password(password: &str) -> Result<String, String> {
    argon2()
        .hash_password(password.as_bytes())
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|e| e.to_string())
}

fn matches(password: &str, phc: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Sessions that were looked up a moment ago. Whatever is done on this process's pages forgets them.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<Vec<u8>, (Timestamp, StaffMember)>>);

impl Sessions {
    fn get(&self, hash: &[u8], now: Timestamp) -> Option<StaffMember> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, staff) = kept.get(hash)?;
        let age = now.duration_since(*at);
        (!age.is_negative() && age < SESSION_AGE_MAX).then(|| staff.clone())
    }

    fn keep(&self, hash: Vec<u8>, staff: StaffMember, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= SESSIONS_KEPT_MAX {
            kept.clear();
        }
        kept.insert(hash, (now, staff));
    }

    /// The next look asks the database.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn ago(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_sub(span).unwrap_or(Timestamp::MIN)
}

impl App {
    /// Opens a session for who knows the password.
    ///
    /// # Errors
    /// [`SignInError`]; a wrong password is none.
    pub async fn sign_in(&self, login: &str, password: &str, address: &str) -> Result<SignIn, SignInError> {
        let now = self.wall.now();
        let login = login.trim().to_lowercase();
        if login.len() > LOGIN_BYTES_MAX || password.len() > PASSWORD_BYTES_MAX {
            return Ok(SignIn::Wrong);
        }
        let since = ago(now, SignedDuration::from_mins(WINDOW_MINUTES));
        let (by_login, by_address) = self.store.failed_sign_ins(&login, address, since).await?;
        if by_login >= FAILURES_PER_LOGIN || by_address >= FAILURES_PER_ADDRESS {
            return Ok(SignIn::Limited { minutes: WINDOW_MINUTES });
        }
        let account = self.store.account(&login).await?;
        let phc = account.as_ref().map_or_else(|| NOBODY.clone(), |account| account.password_hash.clone());
        let good = verify(password.to_owned(), phc).await?;
        let staff = account.filter(|account| good && account.active).map(|account| account.staff);
        self.store.note_sign_in(self.ids.fresh(), &login, address, now, staff.is_some()).await?;
        let Some(staff) = staff else { return Ok(SignIn::Wrong) };
        let token = fresh_token();
        let expires = now.checked_add(SignedDuration::from_hours(SESSION_HOURS)).unwrap_or(Timestamp::MAX);
        self.store.open_session(&token_hash(&token), staff.id, now, expires).await?;
        Ok(SignIn::Welcome { token, staff })
    }

    /// Who a token belongs to; `None` once it is idle, expired, signed out, or the account was closed. What another process
    /// did to it is known a second later.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(&self, token: &str) -> Result<Option<StaffMember>, StoreError> {
        let now = self.wall.now();
        let hash = token_hash(token);
        if let Some(staff) = self.sessions.get(&hash, now) {
            return Ok(Some(staff));
        }
        let idle = ago(now, SignedDuration::from_mins(IDLE_MINUTES));
        let Some((staff, seen)) = self.store.session(&hash, now, idle).await? else { return Ok(None) };
        if seen < ago(now, SignedDuration::from_secs(TOUCH_SECONDS)) {
            self.store.touch_session(&hash, now).await?;
        }
        self.sessions.keep(hash, staff.clone(), now);
        Ok(Some(staff))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_out(&self, token: &str) -> Result<(), StoreError> {
        let hash = token_hash(token);
        let closed = self.store.close_session(&hash).await;
        self.sessions.forget();
        closed
    }
}

async fn verify(password: String, phc: String) -> Result<bool, SignInError> {
    let failed = |error: &dyn std::fmt::Display| SignInError::Hash(error.to_string());
    let _permit = HASHING.acquire().await.map_err(|e| failed(&e))?;
    tokio::task::spawn_blocking(move || matches(&password, &phc)).await.map_err(|e| failed(&e))
}

/// 256 random bits as hexadecimal digits.
fn fresh_token() -> String {
    let mut bytes = [0_u8; TOKEN_BYTES];
    rand::rngs::ThreadRng::default().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{fresh_token, hash_password, matches};

    #[test]
    fn a_hash_is_argon2id_and_knows_its_password() {
        let phc = hash_password("correct horse").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(matches("correct horse", &phc));
        assert!(!matches("correct house", &phc) && !matches("correct horse", "no hash"));
    }

    #[test]
    fn tokens_have_256_bits_and_differ() {
        let (a, b) = (fresh_token(), fresh_token());
        assert!(a.len() == 64 && a != b);
    }
}
