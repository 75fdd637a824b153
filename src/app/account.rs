//! Accounts of staff: opened, closed, given another password. An account has roles, which say what its pages are, and duties,
//! which say whose tasks are its own.

use std::collections::BTreeSet;

use tend_engine::{Name, SiteId, StaffId, model::Role};

use super::{
    App,
    publish::owners,
    sign_in::{LOGIN_BYTES_MAX, PASSWORD_BYTES_MAX, hash_password},
};
use crate::store::{
    AuditLine, NewStaff, StoreError,
    read::staff::{Account, AccountRole, duty_word},
};

/// Shortest password, in characters. There is no second factor yet.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest name of a member of staff, in characters.
pub const NAME_CHARS_MAX: usize = 80;

/// An account to be opened.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Shown to colleagues.
    pub name: String,
    /// What is typed at sign-in.
    pub login: String,
    /// Where.
    pub site: SiteId,
    /// What its pages are.
    pub roles: BTreeSet<AccountRole>,
    /// Whose tasks are its own.
    pub duties: BTreeSet<Role>,
}

/// Why nothing was done to an account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Somebody has it.
    #[error("the login \"{0}\" is taken: choose another")]
    LoginTaken(String),
    /// Not a login.
    #[error(
        "\"{0}\" is no login: write at most {LOGIN_BYTES_MAX} letters, digits, dots, hyphens, underscores and @, beginning with a letter or digit"
    )]
    BadLogin(String),
    /// Not a name.
    #[error("\"{0}\" is no name: write at most {NAME_CHARS_MAX} characters on one line")]
    BadName(String),
    /// It could open nothing.
    #[error("an account needs a role: --role with {}", role_words())]
    NoRole,
    /// Too short.
    #[error("the password has {0} characters: write at least {PASSWORD_CHARS_MIN}")]
    ShortPassword(usize),
    /// Too long.
    #[error("the password has more than {PASSWORD_BYTES_MAX} bytes")]
    LongPassword,
    /// Easily guessed.
    #[error("the password holds the login, or is one character again and again: choose another")]
    EasyPassword,
    /// No such account.
    #[error("there is no account with the login \"{0}\": `tend staff list` has them all")]
    NotThere(String),
    /// The hash could not be computed.
    #[error("the password could not be kept: {0}")]
    Hash(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn role_words() -> String {
    AccountRole::ALL.map(AccountRole::word).join(", ")
}

/// A login as it is kept.
///
/// # Errors
/// [`AccountError::BadLogin`].
pub fn login_of(text: &str) -> Result<String, AccountError> {
    let login = text.trim().to_lowercase();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    let good = login.len() <= LOGIN_BYTES_MAX
        && login.chars().all(plain)
        && login.chars().next().is_some_and(char::is_alphanumeric);
    good.then_some(login).ok_or_else(|| AccountError::BadLogin(text.to_owned()))
}

/// Whether a password may be used.
///
/// # Errors
/// [`AccountError`] that says what is wrong with it.
pub fn check_password(login: &str, password: &str) -> Result<(), AccountError> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return Err(AccountError::ShortPassword(chars));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(AccountError::LongPassword);
    }
    let same = password.chars().collect::<BTreeSet<char>>().len() == 1;
    if same || password.to_lowercase().contains(login) {
        return Err(AccountError::EasyPassword);
    }
    Ok(())
}

impl App {
    /// Opens an account.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn open_account(&self, new: &NewAccount, password: &str) -> Result<StaffId, AccountError> {
        let login = login_of(&new.login)?;
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(AccountError::BadName(new.name.clone()));
        }
        if new.roles.is_empty() {
            return Err(AccountError::NoRole);
        }
        check_password(&login, password)?;
        if self.store.account(&login).await?.is_some() {
            return Err(AccountError::LoginTaken(login));
        }
        let (id, now) = (StaffId(self.ids.fresh()), self.clock.now());
        let roles: Vec<&'static str> = new.roles.iter().map(|role| role.word()).collect();
        let duties: Vec<&'static str> = new.duties.iter().map(|duty| duty_word(*duty)).collect();
        let detail = format!("login {login}, roles {}, duties {}", roles.join(" "), duties.join(" "));
        let staff = NewStaff {
            id,
            login,
            name: name.to_owned(),
            password_hash: hash_password(password).map_err(AccountError::Hash)?,
            account_roles: roles,
            duty_roles: new.duties.iter().copied().collect(),
            site: new.site,
        };
        let mut tx = self.store.begin();
        tx.add_staff(&staff, now).await?;
        self.note_in(&mut tx, line("add account", id, detail), now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Closes an account, or opens it again. Sessions of one that is closed end at once.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn set_account_open(&self, login: &str, open: bool) -> Result<Account, AccountError> {
        let account = self.known_account(login).await?;
        let (id, now) = (account.staff.id, self.clock.now());
        let mut tx = self.store.begin();
        tx.set_staff_active(id, open).await?;
        if !open {
            tx.close_sessions_of(id).await?;
        }
        let action = if open { "open account" } else { "close account" };
        self.note_in(&mut tx, line(action, id, format!("login {}", account.staff.login)), now).await?;
        tx.commit().await?;
        Ok(account)
    }

    /// Gives an account another password; whoever is signed in with the old one is signed out.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn set_account_password(&self, login: &str, password: &str) -> Result<Account, AccountError> {
        let account = self.known_account(login).await?;
        check_password(&account.staff.login, password)?;
        let hash = hash_password(password).map_err(AccountError::Hash)?;
        let (id, now) = (account.staff.id, self.clock.now());
        let mut tx = self.store.begin();
        tx.set_password(id, &hash).await?;
        tx.close_sessions_of(id).await?;
        let detail = format!("login {}", account.staff.login);
        self.note_in(&mut tx, line("set password", id, detail), now).await?;
        tx.commit().await?;
        Ok(account)
    }

    /// The account of a login.
    ///
    /// # Errors
    /// [`AccountError::NotThere`].
    pub async fn known_account(&self, login: &str) -> Result<Account, AccountError> {
        let login = login.trim().to_lowercase();
        self.store.account(&login).await?.ok_or(AccountError::NotThere(login))
    }

    /// Duties that own something in a workflow in use at a site and that nobody there has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn duties_of_nobody(&self, site: SiteId) -> Result<Vec<(Role, Name)>, StoreError> {
        let staff = self.store.active_staff(site).await?;
        let live = self.live();
        let mut missing = Vec::new();
        for (_, hash) in self.store.active_versions(site).await? {
            let Some(workflow) = live.library.get(&hash) else { continue };
            let unseen = owners(workflow)
                .into_iter()
                .filter(|role| !staff.iter().any(|member| member.duty_roles.contains(role)));
            missing.extend(unseen.map(|role| (role, workflow.id.clone())));
        }
        Ok(missing)
    }
}

fn line(action: &'static str, of: StaffId, detail: String) -> AuditLine {
    AuditLine { actor: "system".to_owned(), action, patient: None, subject: format!("staff {of}"), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_a_least_length_and_are_not_the_login() {
        let said = |password: &str| check_password("nora", password).map_err(|error| error.to_string());
        assert_eq!(said("eleven char"), Err("the password has 11 characters: write at least 12".to_owned()));
        assert_eq!(said("twelve chars"), Ok(()));
        assert_eq!(said("zwölf Zeichen"), Ok(()));
        assert!(said("xxxxxxxxxxxxxxxx").is_err() && said("the Nora of old").is_err());
        assert!(said(&"ab".repeat(PASSWORD_BYTES_MAX / 2)).is_ok());
        assert!(said(&"ab".repeat(PASSWORD_BYTES_MAX / 2 + 1)).is_err());
    }

    #[test]
    fn a_login_is_kept_in_lower_case_without_blanks() {
        assert_eq!(login_of(" Nora.Nurse@ward ").ok().as_deref(), Some("nora.nurse@ward"));
        for wrong in ["", "nora nurse", ".nora", "<b>", &"n".repeat(LOGIN_BYTES_MAX + 1)] {
            assert!(login_of(wrong).is_err(), "{wrong}");
        }
        assert!(login_of(&"n".repeat(LOGIN_BYTES_MAX)).is_ok());
    }
}
