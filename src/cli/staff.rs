//! `tend staff`: opens accounts, closes them, gives them another password. Works beside a running server, which sees it at once.

use std::process::ExitCode;

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use tend_engine::{SiteId, model::Role};

use super::{
    beside::{self, Database},
    secret,
};
use crate::{
    app::{
        App,
        account::{AccountError, NewAccount, check_password, login_of},
        site::SiteError,
    },
    store::{
        StoreError,
        read::staff::{AccountRole, duty_of, duty_word},
    },
};

/// Accounts of staff: who signs in, what their pages are, whose tasks are theirs
#[derive(Debug, Args)]
pub struct StaffArgs {
    #[command(subcommand)]
    what: What,
}

/// What is done.
#[derive(Debug, Subcommand)]
enum What {
    /// Open an account; the password is asked for, or read from standard input
    Add(Add),
    /// Show all accounts
    List(List),
    /// Close an account: it is signed out at once and signs in no more
    Disable(One),
    /// Open a closed account again
    Enable(One),
    /// Give an account another password; it is signed out
    Password(Password),
}

/// `tend staff add`
#[derive(Debug, Args)]
struct Add {
    /// Name, as colleagues read it
    name: String,
    /// What is typed at sign-in
    #[arg(long)]
    login: String,
    /// What its pages are: several with commas between them
    #[arg(long, required = true, value_delimiter = ',', value_parser = roles())]
    role: Vec<String>,
    /// Whose tasks are its own
    #[arg(long, value_delimiter = ',', value_parser = duties())]
    duty: Vec<String>,
    /// Site, by id or name; needed only where there are several
    #[arg(long)]
    site: Option<String>,
    /// Make a password up and print it, once
    #[arg(long)]
    generate: bool,
    #[command(flatten)]
    database: Database,
}

/// `tend staff list`
#[derive(Debug, Args)]
struct List {
    /// Of one site, by id or name
    #[arg(long)]
    site: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

/// One account.
#[derive(Debug, Args)]
struct One {
    /// Its login
    login: String,
    #[command(flatten)]
    database: Database,
}

/// `tend staff password`
#[derive(Debug, Args)]
struct Password {
    #[command(flatten)]
    one: One,
    /// Make a password up and print it, once
    #[arg(long)]
    generate: bool,
}

const DUTIES: [Role; 5] = [Role::Clerk, Role::Nurse, Role::NurseLead, Role::Clinician, Role::Pharmacist];

fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(AccountRole::ALL.map(AccountRole::word))
}

fn duties() -> PossibleValuesParser {
    PossibleValuesParser::new(DUTIES.map(duty_word))
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum StaffFailure {
    /// The password could not be had.
    #[error("{0}")]
    Password(String),
    /// Which site.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The application refused.
    #[error(transparent)]
    Refused(#[from] AccountError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No threads.
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
}

impl StaffArgs {
    /// Does it, and says what was done.
    ///
    /// # Errors
    /// [`StaffFailure`]; nothing is changed then.
    pub fn run(&self) -> Result<ExitCode, StaffFailure> {
        beside::run(async {
            match &self.what {
                What::Add(add) => add.run().await,
                What::List(list) => list.run().await,
                What::Disable(one) => one.set_open(false).await,
                What::Enable(one) => one.set_open(true).await,
                What::Password(password) => password.run().await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The password that is asked for, or one that is made up; and whether it is.
fn password(login: &str, generate: bool) -> Result<String, StaffFailure> {
    let password =
        if generate { secret::made_up() } else { secret::read(login).map_err(StaffFailure::Password)? };
    check_password(login, &password)?;
    Ok(password)
}

fn show(password: &str, generated: bool) {
    if generated {
        println!("password  {password}");
        println!("It is not shown again: hand it over, and let it be changed with `tend staff password`.");
    }
}

impl Add {
    async fn run(&self) -> Result<(), StaffFailure> {
        let app = self.database.app().await?;
        let site = app.which_site(self.site.as_deref())?;
        let login = login_of(&self.login)?;
        if app.store.account(&login).await?.is_some() {
            return Err(AccountError::LoginTaken(login).into());
        }
        let role = |word: &String| AccountRole::ALL.into_iter().find(|role| role.word() == word);
        let new = NewAccount {
            name: self.name.clone(),
            login: login.clone(),
            site,
            roles: self.role.iter().filter_map(role).collect(),
            duties: self.duty.iter().filter_map(|word| duty_of(word)).collect(),
        };
        let password = password(&login, self.generate)?;
        app.open_account(&new, &password).await?;
        println!("added {login} at {}", app.site(site).name);
        show(&password, self.generate);
        Ok(())
    }
}

impl List {
    async fn run(&self) -> Result<(), StaffFailure> {
        let app = self.database.app().await?;
        let site = match &self.site {
            Some(named) => Some(app.which_site(Some(named))?),
            None => None,
        };
        let accounts = app.store.accounts(site).await?;
        let words = |roles: &[AccountRole]| roles.iter().map(|role| role.word()).collect::<Vec<_>>();
        let duties = |roles: &[Role]| roles.iter().map(|role| duty_word(*role)).collect::<Vec<_>>();
        if self.json {
            let all = accounts.iter().map(|account| {
                let staff = &account.staff;
                serde_json::json!({
                    "login": staff.login, "name": staff.name, "active": account.active, "site": staff.site.to_string(),
                    "roles": words(&staff.account_roles), "duties": duties(&staff.duty_roles),
                })
            });
            println!("{}", serde_json::Value::Array(all.collect()));
            return Ok(());
        }
        if accounts.is_empty() {
            println!("no account yet: tend staff add NAME --login LOGIN --role nurse --duty nurse");
        }
        for account in &accounts {
            let staff = &account.staff;
            println!(
                "{:<20} {:<8} {:<24} {:<24} {} ({})",
                staff.login,
                if account.active { "open" } else { "closed" },
                words(&staff.account_roles).join(","),
                duties(&staff.duty_roles).join(","),
                staff.name,
                app.site(staff.site).name
            );
        }
        Ok(())
    }
}

impl One {
    async fn set_open(&self, open: bool) -> Result<(), StaffFailure> {
        let app = self.database.app().await?;
        let account = app.set_account_open(&self.login, open).await?;
        println!("{} is {}", account.staff.login, if open { "open again" } else { "closed and signed out" });
        warn_of_nobody(&app, account.staff.site).await?;
        Ok(())
    }
}

/// Says which duties nobody has any more that own something.
async fn warn_of_nobody(app: &App, site: SiteId) -> Result<(), StaffFailure> {
    for (duty, workflow) in app.duties_of_nobody(site).await? {
        let duty = duty_word(duty);
        eprintln!(
            "warning: nobody at {} has the duty {duty}, which owns something in {workflow}",
            app.site(site).name
        );
    }
    Ok(())
}

impl Password {
    async fn run(&self) -> Result<(), StaffFailure> {
        let app = self.one.database.app().await?;
        let login = app.known_account(&self.one.login).await?.staff.login;
        let password = password(&login, self.generate)?;
        app.set_account_password(&login, &password).await?;
        println!("{login} has another password and is signed out");
        show(&password, self.generate);
        Ok(())
    }
}
