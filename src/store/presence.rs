//! Whether a node lives. On PostgreSQL each holds a lock for as long as its session lasts, so that the others see at once
//! when it is gone; and each hears of the others' commits.

use std::{sync::Weak, time::Duration};

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, prelude::Uuid};

use super::{Inner, Store, StoreError, topic::Topics};

/// The first half of the lock's name.
pub const LOCK_SPACE: i32 = 0x7e_4d;
/// How long to wait before listening again.
const AGAIN: Duration = Duration::from_secs(1);

/// The second half of a node's lock: the last 32 bits of its id, as the database reads them.
fn lock_name(node: Uuid) -> i32 {
    let bytes = node.as_u128().to_be_bytes();
    i32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]])
}

/// Takes the lock on a connection that does nothing else.
pub async fn hold(connection: &DatabaseConnection, node: Uuid) -> Result<(), StoreError> {
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "select pg_advisory_lock($1, $2)",
        [LOCK_SPACE.into(), lock_name(node).into()],
    );
    connection.execute_raw(statement).await?;
    Ok(())
}

/// Hears of commits of other nodes for as long as the store lives. A missed one costs at most the workers' own net.
pub async fn listen(pool: sqlx::PgPool, inner: Weak<Inner>) {
    while inner.strong_count() > 0 {
        if let Ok(mut listener) = sqlx::postgres::PgListener::connect_with(&pool).await
            && listener.listen("tend_changed").await.is_ok()
        {
            while let Ok(told) = listener.recv().await {
                let Some(inner) = inner.upgrade() else { return };
                Store(inner).changed(Topics::of(told.payload()));
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}
