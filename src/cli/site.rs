//! `tend site`: adds a site, shows its settings, changes them. Works beside a running server, which sees it within a second.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use tend_engine::site::{Calendar, SiteSettings};

use super::beside::{self, Database};
use crate::{
    app::{
        App,
        country::{self, Country},
        site::SiteError,
        site_setting::{SettingKey, set_calendar},
    },
    library,
    store::StoreError,
};

/// Sites: a hospital or a ward with its own telephone numbers, hours and staff
#[derive(Debug, Args)]
pub struct SiteArgs {
    #[command(subcommand)]
    what: What,
}

/// What is done.
#[derive(Debug, Subcommand)]
enum What {
    /// Add a site
    Add(Box<Add>),
    /// Show the sites, or the settings of one
    Show(Show),
    /// Change settings: KEY VALUE, or several as KEY=VALUE
    Set(Set),
}

/// `tend site add`
#[derive(Debug, Args)]
struct Add {
    /// Full name, as patients read it
    name: String,
    /// Numbers, zone and calendar to begin with: cn, de, es, fr, gb, ie, nz or us. They are printed: check them
    #[arg(long)]
    country: Option<String>,
    /// Name in text messages, at most 20 characters and without a specialty; by default the name
    #[arg(long)]
    short_name: Option<String>,
    /// Time zone, like Europe/London
    #[arg(long)]
    zone: Option<String>,
    /// The ward's number, on every page and in messages
    #[arg(long)]
    ward_phone: String,
    /// Number for an ambulance
    #[arg(long)]
    emergency_number: Option<String>,
    /// A line for people in a crisis
    #[arg(long)]
    crisis_line: Option<String>,
    /// Days on which nurses are there, like mon-fri
    #[arg(long)]
    cover_days: Option<String>,
    /// From when to when, like 08:00-18:00
    #[arg(long)]
    cover_hours: Option<String>,
    /// When messages may go, in the patient's zone, like 08:00-21:00
    #[arg(long)]
    message_hours: Option<String>,
    #[command(flatten)]
    calendar: CalendarArgs,
    /// Any other setting, see `tend site show`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    others: Vec<String>,
    #[command(flatten)]
    database: Database,
}

/// Where holidays come from.
#[derive(Debug, Args)]
struct CalendarArgs {
    /// Holidays of a calendar among the workflow files, by name
    #[arg(long)]
    calendar: Option<String>,
    /// Folder of workflow files; by default `./workflows` if it is there, else the built-in library
    #[arg(long, env = "TEND_WORKFLOWS")]
    workflows: Option<PathBuf>,
}

/// `tend site show`
#[derive(Debug, Args)]
struct Show {
    /// Id or name; needed only where there are several
    site: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

/// `tend site set`
#[derive(Debug, Args)]
struct Set {
    /// KEY VALUE, or any number of KEY=VALUE; `tend site show` has the keys
    #[arg(required_unless_present = "calendar")]
    what: Vec<String>,
    /// Id or name; needed only where there are several
    #[arg(long)]
    site: Option<String>,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    database: Database,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum SiteFailure {
    /// What is wrong with the command line.
    #[error("{0}")]
    Line(String),
    /// The application refused.
    #[error(transparent)]
    Refused(#[from] SiteError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No threads.
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
}

impl SiteArgs {
    /// Does it, and says what was done.
    ///
    /// # Errors
    /// [`SiteFailure`]; nothing is changed then.
    pub fn run(&self) -> Result<ExitCode, SiteFailure> {
        beside::run(async {
            match &self.what {
                What::Add(add) => add.run().await,
                What::Show(show) => show.run().await,
                What::Set(set) => set.run().await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    async fn run(&self) -> Result<(), SiteFailure> {
        let settings = self.settings()?;
        let app = self.database.app().await?;
        let id = app.add_site(&settings).await?;
        println!("added site {id}");
        print(&settings);
        println!(
            "These are what patients are told: check the telephone numbers, and the hours with the ward."
        );
        Ok(())
    }

    fn settings(&self) -> Result<SiteSettings, SiteFailure> {
        let country = self.country()?;
        let unknown = |what: &str| {
            let known = country::codes();
            SiteFailure::Line(format!("--{what} is needed, or --country with one of {known}"))
        };
        let given = |own: &Option<String>, known: Option<&'static str>, what: &str| {
            own.clone().or(known.map(str::to_owned)).ok_or_else(|| unknown(what))
        };
        let zone = given(&self.zone, country.and_then(|known| known.zone), "zone").map_err(|_| {
            SiteFailure::Line("--zone is needed: the country has several, or is not named".to_owned())
        })?;
        let emergency =
            given(&self.emergency_number, country.map(|known| known.emergency_number), "emergency-number")?;
        let crisis = given(&self.crisis_line, country.map(|known| known.crisis_line), "crisis-line")?;
        let short = self.short_name.clone().unwrap_or_else(|| self.name.clone());
        let mut settings = SiteSettings::default();
        for (key, value) in [
            (SettingKey::Name, Some(&self.name)),
            (SettingKey::Zone, Some(&zone)),
            (SettingKey::EmergencyNumber, Some(&emergency)),
            (SettingKey::CrisisLine, Some(&crisis)),
            (SettingKey::WardPhone, Some(&self.ward_phone)),
            (SettingKey::CoverDays, self.cover_days.as_ref()),
            (SettingKey::CoverHours, self.cover_hours.as_ref()),
            (SettingKey::MessageHours, self.message_hours.as_ref()),
        ] {
            if let Some(value) = value {
                key.set(&mut settings, value).map_err(SiteFailure::Line)?;
            }
        }
        SettingKey::ShortName.set(&mut settings, &short).map_err(|what| {
            let mend = if self.short_name.is_none() { " (give --short-name)" } else { "" };
            SiteFailure::Line(format!("{what}{mend}"))
        })?;
        let known = country.and_then(|known| known.calendar);
        if let Some(calendar) = self.calendar.read(known)? {
            set_calendar(&mut settings, &calendar);
        }
        set_pairs(&mut settings, &self.others).map_err(SiteFailure::Line)?;
        Ok(settings)
    }

    fn country(&self) -> Result<Option<Country>, SiteFailure> {
        let Some(code) = &self.country else { return Ok(None) };
        let known = country::codes();
        let unknown = || {
            format!(
                "the numbers of \"{code}\" are not known here, only those of {known}: give --zone, --emergency-number and --crisis-line"
            )
        };
        country::named(code).map(Some).ok_or_else(|| SiteFailure::Line(unknown()))
    }
}

impl CalendarArgs {
    fn read(&self, known: Option<&str>) -> Result<Option<Calendar>, SiteFailure> {
        let Some(name) = self.calendar.as_deref().or(known) else { return Ok(None) };
        let calendars = library::load(self.workflows.as_deref()).compiled.calendars;
        let found = calendars.iter().find(|(known, _)| known.as_str() == name);
        if found.is_none() && self.calendar.is_none() {
            return Ok(None);
        }
        let names = || calendars.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let unknown = || {
            SiteFailure::Line(format!(
                "there is no calendar \"{name}\" among the workflow files: there is {}",
                names()
            ))
        };
        found.map(|(_, calendar)| Some(calendar.clone())).ok_or_else(unknown)
    }
}

impl Show {
    async fn run(&self) -> Result<(), SiteFailure> {
        let app = self.database.app().await?;
        let live = app.live();
        if self.site.is_none() && live.sites.len() != 1 {
            return list(&app, self.json);
        }
        let site = app.which_site(self.site.as_deref())?;
        let settings = app.site(site);
        if self.json {
            let all = SettingKey::ALL.map(|key| (key.word().to_owned(), key.get(&settings).into()));
            let mut document: serde_json::Map<String, serde_json::Value> = all.into_iter().collect();
            document.insert("site".to_owned(), site.to_string().into());
            document.insert("version".to_owned(), settings.version.into());
            println!("{}", serde_json::Value::Object(document));
        } else {
            println!("site {site}, version {} of its settings", settings.version);
            print(&settings);
        }
        Ok(())
    }
}

fn list(app: &App, json: bool) -> Result<(), SiteFailure> {
    let live = app.live();
    if json {
        let all = live.sites.iter();
        let all: Vec<_> =
            all.map(|(id, site)| serde_json::json!({"site": id.to_string(), "name": site.name})).collect();
        println!("{}", serde_json::Value::Array(all));
        return Ok(());
    }
    if live.sites.is_empty() {
        return Err(SiteError::None.into());
    }
    for (id, site) in &live.sites {
        println!("{id}  {}", site.name);
    }
    Ok(())
}

impl Set {
    async fn run(&self) -> Result<(), SiteFailure> {
        let app = self.database.app().await?;
        let site = app.which_site(self.site.as_deref())?;
        let calendar = self.calendar.read(None)?;
        let pairs = match self.what.as_slice() {
            [key, value] if SettingKey::named(key).is_some() => vec![format!("{key}={value}")],
            pairs => pairs.to_vec(),
        };
        let changed = app
            .change_site(site, |settings| {
                if let Some(calendar) = &calendar {
                    set_calendar(settings, calendar);
                }
                set_pairs(settings, &pairs)
            })
            .await?;
        let now = app.site(site);
        if changed.is_empty() {
            println!("nothing is changed: they were so already");
        }
        for key in changed {
            println!("{:<26}{}", key.word(), key.get(&now));
        }
        Ok(())
    }
}

fn set_pairs(settings: &mut SiteSettings, pairs: &[String]) -> Result<(), String> {
    for pair in pairs {
        let (key, value) = pair.split_once('=').ok_or_else(|| format!("\"{pair}\": write KEY=VALUE"))?;
        let known = || SettingKey::ALL.map(SettingKey::word).join(", ");
        let unknown = || format!("there is no setting \"{key}\": there is {}", known());
        SettingKey::named(key).ok_or_else(unknown)?.set(settings, value)?;
    }
    Ok(())
}

fn print(settings: &SiteSettings) {
    for key in SettingKey::ALL {
        println!("{:<26}{}", key.word(), key.get(settings));
    }
}
