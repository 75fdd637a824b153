//! The lines of an import. A line is done in the commit that enrols its patient, or in the one that refuses it, and never
//! again. While it waits it is sealed under the site's key; nothing of it stays afterwards but its number and what was wrong.

use sea_orm::{FromQueryResult, Statement, Value};
use tend_engine::PatientId;

use super::{
    Store, StoreError, Tx,
    batch::small,
    sql::{self, Rows},
    tables,
    words::uuid,
};

/// What is bound to the bytes of a line.
const SEALED_LINE: &str = "import line";

/// A line of an upload as it is stored.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// From 1, the heading included, as editors count.
    pub number: u32,
    /// What was read, as JSON; `None` when the line was refused at once.
    pub read: Option<String>,
    /// What was wrong, as JSON.
    pub report: String,
}

/// How many lines of an import stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCounts {
    /// Not looked at yet.
    pub waiting: u32,
    /// Enrolled.
    pub enrolled: u32,
    /// Refused.
    pub refused: u32,
}

#[derive(FromQueryResult)]
struct Waiting {
    line: i32,
    sealed: Option<Vec<u8>>,
}

#[derive(FromQueryResult)]
struct Refused {
    line: i32,
    report: String,
}

#[derive(FromQueryResult)]
struct Counted {
    state: String,
    n: i64,
}

fn number(line: i32) -> u32 {
    u32::try_from(line).unwrap_or(0)
}

impl Store {
    fn import_sql(&self, text: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.reader().get_database_backend(), text, values)
    }

    /// The next lines of an import that wait, opened.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_lines(&self, job: u128, limit: i64) -> Result<Vec<(u32, String)>, StoreError> {
        let text = "select line, sealed from import_line where job = $1 and state = 'waiting' order by line limit $2";
        let rows = Waiting::find_by_statement(self.import_sql(text, vec![uuid(job).into(), limit.into()]))
            .all(self.reader())
            .await?;
        rows.into_iter()
            .map(|row| {
                let sealed = row.sealed.unwrap_or_default();
                let plain = self.vault().site_key().open(SEALED_LINE, &sealed)?;
                let text =
                    String::from_utf8(plain).map_err(|error| StoreError::unreadable("import line", error))?;
                Ok((number(row.line), text))
            })
            .collect()
    }

    /// The refused lines of an import with what was wrong, as JSON.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refused_lines(&self, job: u128) -> Result<Vec<(u32, String)>, StoreError> {
        let text = "select line, report from import_line where job = $1 and state = 'refused' order by line";
        let rows = Refused::find_by_statement(self.import_sql(text, vec![uuid(job).into()]))
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().map(|row| (number(row.line), row.report)).collect())
    }

    /// How the lines of an import stand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn line_counts(&self, job: u128) -> Result<LineCounts, StoreError> {
        let text = "select state, count(*) as n from import_line where job = $1 group by state";
        let rows = Counted::find_by_statement(self.import_sql(text, vec![uuid(job).into()]))
            .all(self.reader())
            .await?;
        let mut counts = LineCounts::default();
        for row in rows {
            let n = u32::try_from(row.n).unwrap_or(u32::MAX);
            match row.state.as_str() {
                "waiting" => counts.waiting = n,
                "enrolled" => counts.enrolled = n,
                _ => counts.refused = n,
            }
        }
        Ok(counts)
    }
}

impl Tx {
    /// Stores the lines of an upload.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_lines(&mut self, job: u128, lines: &[NewLine]) -> Result<(), StoreError> {
        let mut rows = Rows::default();
        for line in lines {
            let seal = |read: &String| self.store().vault().site_key().seal(SEALED_LINE, read.as_bytes());
            let state = if line.read.is_some() { "waiting" } else { "refused" };
            rows.push([
                uuid(job).into(),
                small(line.number).into(),
                state.into(),
                line.report.clone().into(),
                line.read.as_ref().map(seal).into(),
            ]);
        }
        sql::insert(self.conn().await?, &tables::IMPORT_LINE, rows).await?;
        Ok(())
    }

    /// Marks a line as enrolled, in the commit that enrols.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the line was done already.
    pub async fn line_enrolled(
        &mut self,
        job: u128,
        line: u32,
        patient: PatientId,
    ) -> Result<(), StoreError> {
        let set = "update import_line set state = 'enrolled', patient = $3, sealed = null
                   where job = $1 and line = $2 and state = 'waiting'";
        let values = vec![uuid(job).into(), small(line).into(), uuid(patient.0).into()];
        once(self.statement(set, values).await?)
    }

    /// Marks a line as refused.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the line was done already.
    pub async fn line_refused(&mut self, job: u128, line: u32, report: &str) -> Result<(), StoreError> {
        let set = "update import_line set state = 'refused', report = $3, sealed = null
                   where job = $1 and line = $2 and state = 'waiting'";
        let values = vec![uuid(job).into(), small(line).into(), report.into()];
        once(self.statement(set, values).await?)
    }

    /// Refuses every line that still waits: the job was given up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lines_given_up(&mut self, job: u128, report: &str) -> Result<(), StoreError> {
        let set = "update import_line set state = 'refused', report = $2, sealed = null
                   where job = $1 and state = 'waiting'";
        self.statement(set, vec![uuid(job).into(), report.into()]).await?;
        Ok(())
    }
}

fn once(rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}
