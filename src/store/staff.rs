//! Staff accounts: added, opened and closed, given another password.

use jiff::Timestamp;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use tend_engine::{SiteId, StaffId, model::Role};

use super::{
    StoreError, Tx,
    entity::{staff, staff_session},
    words::{self, micros, uuid},
};

/// An account that is not in the database yet.
#[derive(Debug, Clone)]
pub struct NewStaff {
    /// Fresh.
    pub id: StaffId,
    /// What is typed at sign-in; lower case, unique.
    pub login: String,
    /// Shown to colleagues.
    pub name: String,
    /// PHC string of argon2id.
    pub password_hash: String,
    /// What the login may do: words of account roles.
    pub account_roles: Vec<&'static str>,
    /// Whose tasks are theirs.
    pub duty_roles: Vec<Role>,
    /// Where.
    pub site: SiteId,
}

impl Tx {
    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreError`], among them a login that is taken.
    pub async fn add_staff(&mut self, new: &NewStaff, now: Timestamp) -> Result<(), StoreError> {
        let duty: Vec<&str> = new.duty_roles.iter().map(|role| words::role(*role)).collect();
        let row = staff::ActiveModel {
            id: Set(uuid(new.id.0)),
            login: Set(new.login.clone()),
            name: Set(new.name.clone()),
            password_hash: Set(new.password_hash.clone()),
            account_roles: Set(new.account_roles.join(" ")),
            duty_roles: Set(duty.join(" ")),
            site: Set(uuid(new.site.0)),
            team: Set(None),
            active: Set(true),
            created_at: Set(micros(now)),
        };
        staff::Entity::insert(row).exec_without_returning(self.conn().await?).await?;
        Ok(())
    }

    /// Lets an account sign in, or no longer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_staff_active(&mut self, id: StaffId, active: bool) -> Result<(), StoreError> {
        staff::Entity::update_many()
            .col_expr(staff::Column::Active, Expr::value(active))
            .filter(staff::Column::Id.eq(uuid(id.0)))
            .exec(self.conn().await?)
            .await?;
        Ok(())
    }

    /// Gives an account another password: its PHC string.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_password(&mut self, id: StaffId, password_hash: &str) -> Result<(), StoreError> {
        staff::Entity::update_many()
            .col_expr(staff::Column::PasswordHash, Expr::value(password_hash))
            .filter(staff::Column::Id.eq(uuid(id.0)))
            .exec(self.conn().await?)
            .await?;
        Ok(())
    }

    /// Ends every session of an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close_sessions_of(&mut self, id: StaffId) -> Result<(), StoreError> {
        staff_session::Entity::delete_many()
            .filter(staff_session::Column::Staff.eq(uuid(id.0)))
            .exec(self.conn().await?)
            .await?;
        Ok(())
    }
}
