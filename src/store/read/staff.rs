//! Staff: accounts, sessions, attempts to sign in. Times are the wall clock's, never the demo's.

use jiff::Timestamp;
use sea_orm::{FromQueryResult, prelude::Uuid};
use tend_engine::{Name, SiteId, StaffId, model::Role};

use super::sql::Sql;
use crate::store::{Store, StoreError, words};

/// What a login may do. Apart from duty roles: who owns a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountRole {
    /// Contacts and appointments, no answers.
    Clerk,
    /// Worklist, patients, calls.
    Nurse,
    /// All of a nurse's, and the risk queue and model.
    Clinician,
    /// Workflows.
    Author,
    /// Staff, settings, health; no clinical content.
    Admin,
}

impl AccountRole {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Clerk, Self::Nurse, Self::Clinician, Self::Author, Self::Admin];

    /// The word in the database and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::Nurse => "nurse",
            Self::Clinician => "clinician",
            Self::Author => "author",
            Self::Admin => "admin",
        }
    }
}

/// The word of a duty role in the database and on the command line.
#[must_use]
pub fn duty_word(role: Role) -> &'static str {
    words::role(role)
}

/// The duty role of that word.
#[must_use]
pub fn duty_of(word: &str) -> Option<Role> {
    words::role_of(word).ok()
}

/// A member of staff.
#[derive(Debug, Clone)]
pub struct StaffMember {
    /// Id.
    pub id: StaffId,
    /// What is typed at sign-in.
    pub login: String,
    /// Shown to colleagues.
    pub name: String,
    /// What the login may do.
    pub account_roles: Vec<AccountRole>,
    /// Whose tasks are theirs.
    pub duty_roles: Vec<Role>,
    /// Where.
    pub site: SiteId,
    /// Which team.
    pub team: Option<u128>,
}

/// An account with its password hash, for sign-in alone.
#[derive(Debug, Clone)]
pub struct Account {
    /// Who.
    pub staff: StaffMember,
    /// PHC string of argon2id.
    pub password_hash: String,
    /// Whether it may sign in.
    pub active: bool,
}

#[derive(FromQueryResult)]
struct Raw {
    id: Uuid,
    login: String,
    name: String,
    password_hash: String,
    account_roles: String,
    duty_roles: String,
    site: Uuid,
    team: Option<Uuid>,
    active: bool,
}

#[derive(FromQueryResult)]
struct Count {
    n: i64,
}

const STAFF: &str = "select a.id, a.login, a.name, a.password_hash, a.account_roles, a.duty_roles, a.site, a.team, \
    a.active from staff a ";

/// Roles are stored as words with spaces between them.
fn account(raw: Raw) -> Result<Account, StoreError> {
    let account_roles = raw
        .account_roles
        .split_whitespace()
        .map(|word| {
            AccountRole::ALL
                .into_iter()
                .find(|role| role.word() == word)
                .ok_or_else(|| StoreError::unreadable("an account role", format!("\"{word}\" is none")))
        })
        .collect::<Result<_, _>>()?;
    let duty_roles = raw.duty_roles.split_whitespace().map(words::role_of).collect::<Result<_, _>>()?;
    let staff = StaffMember {
        id: StaffId(raw.id.as_u128()),
        login: raw.login,
        name: raw.name,
        account_roles,
        duty_roles,
        site: SiteId(raw.site.as_u128()),
        team: raw.team.map(|team| team.as_u128()),
    };
    Ok(Account { staff, password_hash: raw.password_hash, active: raw.active })
}

impl Store {
    /// The account of a login.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn account(&self, login: &str) -> Result<Option<Account>, StoreError> {
        let db = self.reader();
        let raw: Option<Raw> = Sql::new(db, STAFF).text("where a.login = ").bind(login).first(db).await?;
        raw.map(account).transpose()
    }

    /// Who a session belongs to: active, not expired, and seen since `seen_since`.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn session(
        &self,
        token_hash: &[u8],
        now: Timestamp,
        seen_since: Timestamp,
    ) -> Result<Option<(StaffMember, Timestamp)>, StoreError> {
        #[derive(FromQueryResult)]
        struct Seen {
            last_seen_at: i64,
        }
        let db = self.reader();
        let from = "join staff_session s on s.staff = a.id where s.token_hash = ";
        let query = |columns: &str| {
            Sql::new(db, columns)
                .text(from)
                .bind(token_hash.to_vec())
                .text(" and s.expires_at > ")
                .bind(words::micros(now))
                .text(" and s.last_seen_at > ")
                .bind(words::micros(seen_since))
        };
        let columns = STAFF.replace("a.active from", "a.active, s.last_seen_at from");
        let Some(row) = query(&columns).row(db).await? else { return Ok(None) };
        let found = account(Raw::from_query_result(&row, "")?)?;
        let seen = Seen::from_query_result(&row, "")?;
        Ok(found.active.then_some((found.staff, words::instant(seen.last_seen_at)?)))
    }

    /// Failed attempts of a login and of an address since an instant.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn failed_sign_ins(
        &self,
        login: &str,
        address: &str,
        since: Timestamp,
    ) -> Result<(u64, u64), StoreError> {
        let db = self.reader();
        let of = |column: &str, value: &str| {
            Sql::new(db, "select count(*) as n from sign_in_attempt where not succeeded = ")
                .yes()
                .text(" and at > ")
                .bind(words::micros(since))
                .text(" and ")
                .text(column)
                .text(" = ")
                .bind(value)
        };
        let count = |row: Option<Count>| row.map_or(0, |row| u64::try_from(row.n).unwrap_or(0));
        let by_login = count(of("login", login).first(db).await?);
        let by_address = count(of("address", address).first(db).await?);
        Ok((by_login, by_address))
    }

    /// Staff of a site that may sign in.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn active_staff(&self, site: SiteId) -> Result<Vec<StaffMember>, StoreError> {
        let db = self.reader();
        let raw: Vec<Raw> = Sql::new(db, STAFF)
            .text("where a.active = ")
            .yes()
            .text(" and a.site = ")
            .bind(words::uuid(site.0))
            .text(" order by a.name limit 1000")
            .all(db)
            .await?;
        raw.into_iter().map(|row| account(row).map(|account| account.staff)).collect()
    }

    /// Every account of a site, or of all sites, also closed ones, by login.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn accounts(&self, site: Option<SiteId>) -> Result<Vec<Account>, StoreError> {
        let db = self.reader();
        let mut query = Sql::new(db, STAFF);
        if let Some(site) = site {
            query = query.text("where a.site = ").bind(words::uuid(site.0));
        }
        let raw: Vec<Raw> = query.text(" order by a.login limit 10000").all(db).await?;
        raw.into_iter().map(account).collect()
    }

    /// The names of all staff of a site, also of those who left, for histories.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn staff_names(
        &self,
        site: SiteId,
    ) -> Result<std::collections::BTreeMap<StaffId, String>, StoreError> {
        #[derive(FromQueryResult)]
        struct Row {
            id: Uuid,
            name: String,
        }
        let db = self.reader();
        let raw: Vec<Row> = Sql::new(db, "select id, name from staff where site = ")
            .bind(words::uuid(site.0))
            .text(" limit 10000")
            .all(db)
            .await?;
        Ok(raw.into_iter().map(|row| (StaffId(row.id.as_u128()), row.name)).collect())
    }

    /// How many people with that duty role have used a session since an instant.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn staff_at_work(&self, site: SiteId, role: Role, since: Timestamp) -> Result<u64, StoreError> {
        #[derive(FromQueryResult)]
        struct Duties {
            duty_roles: String,
        }
        let db = self.reader();
        let raw: Vec<Duties> = Sql::new(db, "select distinct a.id, a.duty_roles from staff a join staff_session s on s.staff = a.id where a.site = ")
            .bind(words::uuid(site.0))
            .text(" and s.last_seen_at > ")
            .bind(words::micros(since))
            .all(db)
            .await?;
        let wanted = words::role(role);
        Ok(raw.iter().filter(|row| row.duty_roles.split_whitespace().any(|word| word == wanted)).count()
            as u64)
    }

    /// Workflows with an active version at a site, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn workflow_names(&self, site: SiteId) -> Result<Vec<Name>, StoreError> {
        #[derive(FromQueryResult)]
        struct Row {
            workflow: String,
        }
        let db = self.reader();
        let raw: Vec<Row> = Sql::new(db, "select distinct workflow from version where active = ")
            .yes()
            .text(" and site = ")
            .bind(words::uuid(site.0))
            .text(" order by workflow")
            .all(db)
            .await?;
        raw.iter().map(|row| words::name(&row.workflow)).collect()
    }
}
