//! What signing in writes: sessions and attempts. No patient is touched, so nothing here takes a patient's lock.
//! Times are the wall clock's, never the demo's.

use jiff::Timestamp;
use tend_engine::StaffId;

use super::{Store, StoreError, read::sql::Sql, words};

impl Store {
    /// Opens a session.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn open_session(
        &self,
        token_hash: &[u8],
        staff: StaffId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let db = &self.0.write;
        let insert =
            "insert into staff_session (token_hash, staff, created_at, last_seen_at, expires_at) values (";
        Sql::new(db, insert)
            .bind(token_hash.to_vec())
            .text(", ")
            .bind(words::uuid(staff.0))
            .text(", ")
            .bind(words::micros(now))
            .text(", ")
            .bind(words::micros(now))
            .text(", ")
            .bind(words::micros(expires_at))
            .text(")")
            .run(db)
            .await?;
        Sql::new(db, "delete from staff_session where expires_at <= ")
            .bind(words::micros(now))
            .run(db)
            .await?;
        Ok(())
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn touch_session(&self, token_hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
        let db = &self.0.write;
        Sql::new(db, "update staff_session set last_seen_at = ")
            .bind(words::micros(now))
            .text(" where token_hash = ")
            .bind(token_hash.to_vec())
            .run(db)
            .await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn close_session(&self, token_hash: &[u8]) -> Result<(), StoreError> {
        let db = &self.0.write;
        Sql::new(db, "delete from staff_session where token_hash = ")
            .bind(token_hash.to_vec())
            .run(db)
            .await?;
        Ok(())
    }

    /// Notes an attempt to sign in.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses.
    pub async fn note_sign_in(
        &self,
        id: u128,
        login: &str,
        address: &str,
        at: Timestamp,
        succeeded: bool,
    ) -> Result<(), StoreError> {
        let db = &self.0.write;
        Sql::new(db, "insert into sign_in_attempt (id, login, address, at, succeeded) values (")
            .bind(words::uuid(id))
            .text(", ")
            .bind(login)
            .text(", ")
            .bind(address)
            .text(", ")
            .bind(words::micros(at))
            .text(", ")
            .bind(succeeded)
            .text(")")
            .run(db)
            .await?;
        Ok(())
    }
}
