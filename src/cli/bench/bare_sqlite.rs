//! libsqlite3 without anything around it: one thread, prepared statements, the durability that the store uses.

#![expect(unsafe_code, reason = "the limit is the C library itself; nothing but the bench calls it so")]

use std::{
    ffi::{CStr, CString, c_int},
    path::Path,
    ptr,
    time::{Duration, Instant},
};

use libsqlite3_sys as ffi;

use super::{
    BenchError,
    bare::{FLUSHES, Group},
};
use crate::store::{
    Cell, PlainRows, SQLITE_CHECKPOINT_PAGES, SQLITE_MAPPED_BYTES_MAX, SQLITE_WRITER_CACHE_KIB,
};

/// A connection of its own to the file.
pub struct BareSqlite {
    db: *mut ffi::sqlite3,
    statements: Vec<(String, Statement)>,
}

// The connection is used by one thread at a time: every use borrows it mutably.
unsafe impl Send for BareSqlite {}

struct Statement(*mut ffi::sqlite3_stmt);

impl BareSqlite {
    /// Opens the file with the store's settings.
    pub fn open(file: &Path) -> Result<Self, BenchError> {
        let path = CString::new(file.to_string_lossy().as_bytes()).map_err(BenchError::of)?;
        let mut db = ptr::null_mut();
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_NOMUTEX;
        // SAFETY: `path` ends with a zero byte and outlives the call; `db` is a valid place for the handle.
        let code = unsafe { ffi::sqlite3_open_v2(path.as_ptr(), &raw mut db, flags, ptr::null()) };
        let bare = Self { db, statements: Vec::new() };
        bare.check(code)?;
        for pragma in [
            "pragma journal_mode = wal",
            "pragma synchronous = full",
            "pragma busy_timeout = 10000",
            "pragma foreign_keys = on",
            &format!("pragma cache_size = -{SQLITE_WRITER_CACHE_KIB}"),
            &format!("pragma wal_autocheckpoint = {SQLITE_CHECKPOINT_PAGES}"),
            &format!("pragma mmap_size = {SQLITE_MAPPED_BYTES_MAX}"),
        ] {
            bare.run(pragma)?;
        }
        Ok(bare)
    }

    /// Writes groups, one transaction each.
    pub fn write(&mut self, groups: &[Group], now_micros: i64) -> Result<Vec<Duration>, BenchError> {
        let mut took = Vec::with_capacity(groups.len());
        for group in groups {
            let begin = Instant::now();
            self.group(group, now_micros)?;
            took.push(begin.elapsed());
        }
        Ok(took)
    }

    fn group(&mut self, group: &Group, now_micros: i64) -> Result<(), BenchError> {
        let Some((patients, tables)) = group.rows.split_last() else { return Ok(()) };
        self.run("begin immediate")?;
        let due = self.prepared(
            "select id from patient where wake_at <= ? and wake_at is not null and quarantined is null
             order by wake_at, id limit ?",
        )?;
        let limit = Cell::Whole(i64::try_from(patients.rows.len()).unwrap_or(i64::MAX));
        self.step(due, &[&Cell::Whole(now_micros), &limit])?;
        let read = self.prepared("select seq, state from patient where id = ?")?;
        for row in &patients.rows {
            self.step(read, &[&row[0]])?;
        }
        for table in tables.iter().chain([patients]).filter(|table| !table.rows.is_empty()) {
            let statement = self.prepared(&one_row(table))?;
            for row in &table.rows {
                self.step(statement, &row.iter().collect::<Vec<_>>())?;
            }
        }
        self.run("commit")
    }

    /// Durable commits of one small row.
    pub fn flushes_per_second(&mut self) -> Result<f64, BenchError> {
        let begin = Instant::now();
        for n in 0..FLUSHES {
            self.run("begin immediate")?;
            self.run(&format!(
                "insert into setting (key, value) values ('bench', '{n}')
                 on conflict (key) do update set value = excluded.value"
            ))?;
            self.run("commit")?;
        }
        Ok(f64::from(FLUSHES) / begin.elapsed().as_secs_f64())
    }

    fn prepared(&mut self, sql: &str) -> Result<*mut ffi::sqlite3_stmt, BenchError> {
        if let Some((_, statement)) = self.statements.iter().find(|(known, _)| known == sql) {
            return Ok(statement.0);
        }
        let name = sql.to_owned();
        let sql = CString::new(sql).map_err(BenchError::of)?;
        let mut statement = ptr::null_mut();
        // SAFETY: the handle is open, the text ends with a zero byte, `statement` is a valid place for the result.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                self.db,
                sql.as_ptr(),
                -1,
                ffi::SQLITE_PREPARE_PERSISTENT,
                &raw mut statement,
                ptr::null_mut(),
            )
        };
        self.check(code)?;
        self.statements.push((name, Statement(statement)));
        Ok(statement)
    }

    /// Binds, runs to the end and resets.
    fn step(&self, statement: *mut ffi::sqlite3_stmt, cells: &[&Cell]) -> Result<(), BenchError> {
        for (at, cell) in (1..).zip(cells) {
            self.check(bind(statement, at, cell))?;
        }
        loop {
            // SAFETY: the statement was prepared on this connection and every text bound to it outlives this call.
            match unsafe { ffi::sqlite3_step(statement) } {
                ffi::SQLITE_ROW => {}
                ffi::SQLITE_DONE => break,
                code => return self.check(code),
            }
        }
        // SAFETY: as above.
        self.check(unsafe { ffi::sqlite3_reset(statement) })
    }

    fn run(&self, sql: &str) -> Result<(), BenchError> {
        let sql = CString::new(sql).map_err(BenchError::of)?;
        // SAFETY: the handle is open and the text ends with a zero byte.
        let code =
            unsafe { ffi::sqlite3_exec(self.db, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) };
        self.check(code)
    }

    fn check(&self, code: c_int) -> Result<(), BenchError> {
        if code == ffi::SQLITE_OK {
            return Ok(());
        }
        // SAFETY: the handle is open; the text that comes back is copied at once.
        let words = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.db)) }.to_string_lossy().into_owned();
        Err(BenchError(format!("the bare loop: {words}")))
    }
}

impl Drop for BareSqlite {
    fn drop(&mut self) {
        for (_, statement) in &self.statements {
            // SAFETY: each was prepared once and is not used afterwards.
            unsafe { ffi::sqlite3_finalize(statement.0) };
        }
        // SAFETY: nothing uses the handle afterwards.
        unsafe { ffi::sqlite3_close(self.db) };
    }
}

fn bind(statement: *mut ffi::sqlite3_stmt, at: c_int, cell: &Cell) -> c_int {
    let length = |n: usize| c_int::try_from(n).unwrap_or(c_int::MAX);
    // SAFETY: the cells outlive the run of the statement, so the library may use them in place (static).
    unsafe {
        match cell {
            Cell::Null => ffi::sqlite3_bind_null(statement, at),
            Cell::Whole(n) => ffi::sqlite3_bind_int64(statement, at, *n),
            Cell::Text(text) => ffi::sqlite3_bind_text(
                statement,
                at,
                text.as_ptr().cast(),
                length(text.len()),
                ffi::SQLITE_STATIC(),
            ),
            Cell::Bytes(bytes) => ffi::sqlite3_bind_blob(
                statement,
                at,
                bytes.as_ptr().cast(),
                length(bytes.len()),
                ffi::SQLITE_STATIC(),
            ),
        }
    }
}

/// The statement that writes one row.
fn one_row(table: &PlainRows) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let Some(update) = table.update else {
        let marks = vec!["?"; names.len()].join(", ");
        return format!("insert into {} ({}) values ({marks})", table.table, names.join(", "));
    };
    let numbered = || (1..).zip(&names);
    let set = numbered().fold(update.set.to_owned(), |set, (at, name)| {
        set.replace(&format!("{{{name}}}"), &format!("?{at}"))
    });
    let keys: Vec<String> =
        numbered().take(update.keys).map(|(at, name)| format!("t.{name} = ?{at}")).collect();
    format!("update {} as t set {set} where {}", table.table, keys.join(" and "))
}
