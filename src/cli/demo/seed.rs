//! Fills a fresh demo: site, staff, published workflows, and people whose past the real engine lived through.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use tend_engine::{
    Decimal, Name, SiteId, StaffId, Value,
    model::{Channel, Role},
    site::SiteSettings,
};

use super::{
    people::{Course as DemoCourse, Person, people},
    world::{World, WorldError},
};
use crate::{
    app::{
        App,
        enroll::{Course, Newcomer},
        register::Register,
        score::SwitchState,
        sign_in::hash_password,
    },
    cli::clock::{MovedClock, OFFSET},
    library,
    ports::Clock,
    store::{ContactPoint, Demographics, Identifier, NewStaff, Owner},
};

/// The file with the logins that were made.
pub const LOGINS: &str = "logins.txt";
/// The system of the invented people's numbers.
const SYSTEM: &str = "demo";
/// Version of the consent wording that the demo's people agreed to.
const WORDING: &str = "demo-1";
/// Tasks younger than this are left for whoever tries the demo.
const LEFT_OPEN_HOURS: i64 = 30;
/// A bladder patient is enrolled when the histology is there.
const HISTOLOGY_DAYS: i32 = 21;

struct Login {
    login: &'static str,
    name: &'static str,
    account: &'static [&'static str],
    duty: &'static [Role],
}

const STAFF: [Login; 5] = [
    Login { login: "nurse", name: "Nora Nurse", account: &["nurse"], duty: &[Role::Nurse] },
    Login { login: "lead", name: "Lena Lead", account: &["nurse", "author"], duty: &[Role::NurseLead] },
    Login { login: "clinician", name: "Carl Clinician", account: &["clinician"], duty: &[Role::Clinician] },
    Login { login: "clerk", name: "Chris Clerk", account: &["clerk"], duty: &[Role::Clerk] },
    Login { login: "admin", name: "Ada Admin", account: &["admin", "author"], duty: &[] },
];

/// Fills the database and lives through the past until `now`.
///
/// # Errors
/// Whatever the application could not do.
pub async fn fill(
    app: &App,
    clock: &MovedClock,
    world: &mut World,
    folder: &Path,
    now: Timestamp,
) -> Result<(), WorldError> {
    let site = SiteId(app.ids.fresh());
    let team = hire(app, site, folder, now).await?;
    let staff = team.nurse;
    publish(app, site, now).await?;
    app.refresh().await?;
    let today = TimeZone::UTC.to_datetime(now).date();
    let mut people: Vec<(Timestamp, Person)> =
        people(today).into_iter().map(|person| (enrolled_at(&person, today), person)).collect();
    people.sort_by_key(|(at, person)| (*at, person.number));
    if let Some((first, _)) = people.first() {
        clock.stand_at(*first);
    }
    world.staffed_by(Some(staff));
    let left_open = now.checked_sub(SignedDuration::from_hours(LEFT_OPEN_HOURS))?;
    for (at, person) in people {
        world.run_until(at.max(clock.now())).await?;
        let register = Register {
            newcomer: newcomer(site, &person, today),
            consented: [Channel::Sms, Channel::Email]
                .into_iter()
                .take(1 + person.email.iter().len())
                .collect(),
            wording: WORDING.to_owned(),
            features: model_facts(&person, today),
        };
        world.add(app.register(staff, register).await?.patient, person);
    }
    world.run_until(left_open.max(clock.now())).await?;
    turn_model_on(app, site, team.clinician).await?;
    world.staffed_by(None);
    world.run_until(now.max(clock.now())).await?;
    clock.run_from(now.max(clock.now()));
    keep_offset(app, clock).await
}

/// Keeps how far the clinical clock is ahead, for the next start.
///
/// # Errors
/// Whatever the store could not do.
pub async fn keep_offset(app: &App, clock: &MovedClock) -> Result<(), WorldError> {
    let mut tx = app.store.begin();
    tx.set_setting(OFFSET, &clock.offset_micros().to_string()).await?;
    tx.commit().await?;
    Ok(())
}

/// Finds the invented people of an earlier start again.
///
/// # Errors
/// Whatever the store could not do.
pub async fn recall(app: &App, world: &mut World) -> Result<(), WorldError> {
    for person in people(TimeZone::UTC.to_datetime(app.clock.now()).date()) {
        if let Some(patient) = app.store.patient_identified(SYSTEM, &person.number.to_string()).await? {
            world.add(patient, person);
        }
    }
    Ok(())
}

/// Those who act in the past.
struct Team {
    nurse: StaffId,
    clinician: StaffId,
}

/// The clinician turns the model on, and everybody is scored.
async fn turn_model_on(app: &App, site: SiteId, clinician: StaffId) -> Result<(), WorldError> {
    for workflow in ["hf-discharge-90d", "nmibc-surveillance"] {
        app.switch_model(site, &name(workflow), SwitchState::On, Some(clinician)).await?;
    }
    app.score_everybody().await?;
    Ok(())
}

/// Makes the site and its staff.
async fn hire(app: &App, site: SiteId, folder: &Path, now: Timestamp) -> Result<Team, WorldError> {
    let settings = SiteSettings {
        name: "Northgate General Hospital".into(),
        short_name: "Northgate Hosp".into(),
        zone: "Europe/London".into(),
        emergency_number: "999".into(),
        crisis_line: "111".into(),
        ..SiteSettings::default()
    };
    let mut tx = app.store.begin();
    tx.add_site(site, &settings, now).await?;
    let mut logins = String::from("login       password\n");
    let (mut nurse, mut clinician) = (None, None);
    for one in &STAFF {
        let id = StaffId(app.ids.fresh());
        let password = password(app);
        tx.add_staff(
            &NewStaff {
                id,
                login: one.login.into(),
                name: one.name.into(),
                password_hash: hash_password(&password)?,
                account_roles: one.account.to_vec(),
                duty_roles: one.duty.to_vec(),
                site,
            },
            now,
        )
        .await?;
        logins.push_str(&format!("{:<11} {password}\n", one.login));
        match one.login {
            "nurse" => nurse = Some(id),
            "clinician" => clinician = Some(id),
            _ => {}
        }
    }
    tx.commit().await?;
    fs::write(folder.join(LOGINS), logins)?;
    let missing = || WorldError::from("the demo has no nurse or no clinician");
    Ok(Team { nurse: nurse.ok_or_else(missing)?, clinician: clinician.ok_or_else(missing)? })
}

/// Twelve characters without those that look alike.
fn password(app: &App) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789w";
    // The low 74 bits of a UUIDv7 are random.
    let mut random = app.ids.fresh();
    let mut password = String::new();
    for _ in 0..12 {
        password.push(char::from(LETTERS[(random % 32) as usize]));
        random >>= 5;
    }
    password
}

async fn publish(app: &App, site: SiteId, now: Timestamp) -> Result<(), WorldError> {
    let library = library::built_in();
    let mut tx = app.store.begin();
    for (_, workflow) in &library.compiled.workflows {
        tx.publish(site, workflow, None, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn first_day(person: &Person, today: Date) -> Date {
    today.saturating_sub(person.days_in.days())
}

fn enrolled_at(person: &Person, today: Date) -> Timestamp {
    let day = match person.course {
        DemoCourse::HeartFailure { .. } => first_day(person, today),
        DemoCourse::Bladder { .. } => first_day(person, today).saturating_add(HISTOLOGY_DAYS.days()),
    };
    let minute = i8::try_from(person.number % 60).unwrap_or(0);
    TimeZone::UTC.to_timestamp(day.at(9, minute, 0, 0)).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn newcomer(site: SiteId, person: &Person, today: Date) -> Newcomer {
    let own =
        |channel, address: &str| ContactPoint { channel, address: address.to_owned(), owner: Owner::Own };
    let mut contact_points = vec![own(Channel::Sms, &person.phone)];
    contact_points.extend(person.email.iter().map(|email| own(Channel::Email, email)));
    Newcomer {
        site,
        team: None,
        demographics: Demographics {
            name: person.name.clone(),
            birth_date: person.born,
            sex: Some(person.sex.into()),
        },
        identifiers: vec![Identifier { system: SYSTEM.into(), value: person.number.to_string() }],
        contact_points,
        consents: Vec::new(),
        language: person.language.into(),
        zone: person.zone.into(),
        preferred: Some(if person.email.is_some() && person.number.is_multiple_of(3) {
            Channel::Email
        } else {
            Channel::Sms
        }),
        daily_consent: person.daily_consent,
        course: course(person, today),
    }
}

fn course(person: &Person, today: Date) -> Course {
    let (workflow, anchor, fact) = match person.course {
        DemoCourse::HeartFailure { dry_weight_tenths } => {
            let dry = Decimal::whole(dry_weight_tenths).over(Decimal::whole(10)).unwrap_or(Decimal::ZERO);
            ("hf-discharge-90d", "discharge", ("dry_weight", Value::Number(dry)))
        }
        DemoCourse::Bladder { risk_group } => {
            ("nmibc-surveillance", "turbt", ("risk_group", Value::Choice(name(risk_group))))
        }
    };
    Course {
        workflow: name(workflow),
        facts: BTreeMap::from([(name(fact.0), fact.1)]),
        anchors: BTreeMap::from([(name(anchor), first_day(person, today))]),
    }
}

/// What the ward knows for the readmission model and the published scores. Some people lack a required one and are not scored.
fn model_facts(person: &Person, today: Date) -> BTreeMap<Name, Value> {
    let n = i64::try_from(person.number).unwrap_or(0);
    let age = person.born.until(today).map_or(0, |span| i64::from(span.get_days()) / 365);
    let number = |value: i64| Value::Number(Decimal::whole(value));
    let mut facts = BTreeMap::from([
        (name("sex"), Value::Choice(name(person.sex))),
        (name("age"), number(age.clamp(5, 95))),
        (name("los_days"), number(1 + n * 5 % 13)),
        (name("n_inpatient_12m"), number([0, 0, 1, 0, 2, 0, 0, 3, 1, 0, 0, 5][person.number % 12])),
        (name("adm_type"), Value::Choice(name(if n % 3 == 0 { "elective" } else { "emergency" }))),
    ]);
    if matches!(person.course, DemoCourse::HeartFailure { .. }) && n % 2 == 0 {
        facts.extend([
            (name("n_emergency_6m"), number(n % 3)),
            (name("lace_comorbidity"), number(2 + n % 4)),
            (name("haemoglobin_g_dl"), number(9 + n % 7)),
            (name("sodium_mmol_l"), number(131 + n % 12)),
            (name("creatinine_umol_l"), number(70 + n * 13 % 150)),
            (name("active_cancer"), Value::Bool(n % 10 == 0)),
        ]);
    }
    // One in six came without the ward's summary: such gaps are told of too.
    if person.number % 6 != 5 {
        facts.extend(summary(person));
    }
    if person.number % 11 != 7 {
        facts.insert(name("n_emergency_12m"), number([0, 1, 0, 0, 2, 0, 0][person.number % 7]));
    }
    facts
}

/// What a discharge summary would say, invented for each person.
fn summary(person: &Person) -> BTreeMap<Name, Value> {
    let n = i64::try_from(person.number).unwrap_or(0);
    let number = |value: i64| Value::Number(Decimal::whole(value));
    let pick = |of: &[&'static str], step: usize| Value::Choice(name(of[person.number * step % of.len()]));
    let heart = matches!(person.course, DemoCourse::HeartFailure { .. });
    let diabetes = n % 4 == 1;
    let drugs = if diabetes { 1 + n % 2 } else { 0 };
    let changes = if diabetes { n % 3 % 2 } else { 0 };
    BTreeMap::from([
        (name("adm_source"), pick(&["ed", "ed", "referral", "transfer"], 3)),
        (name("discharge_to"), pick(&["home", "home", "home_health", "home", "snf", "home_health"], 5)),
        (name("dx1"), Value::Choice(name(if heart { "circulatory" } else { "neoplasm" }))),
        (name("dx2"), pick(&["circulatory", "respiratory", "genitourinary", "other"], 3)),
        (
            name("dx3"),
            if diabetes { Value::Choice(name("diabetes")) } else { pick(&["other", "digestive"], 1) },
        ),
        (name("n_labs"), number(28 + n * 7 % 40)),
        (name("n_procs"), number(n % 3)),
        (name("n_meds"), number(8 + n * 5 % 14)),
        (name("n_outpatient_12m"), number(n % 4)),
        (name("n_diagnoses"), number(5 + n % 5)),
        (name("charlson3"), number(1 + n % 3)),
        (name("insulin"), Value::Choice(name(if diabetes && n % 3 == 0 { "steady" } else { "no" }))),
        (name("metformin"), Value::Choice(name(if diabetes { "steady" } else { "no" }))),
        (name("n_dm_drugs"), number(drugs)),
        (name("n_dm_changes"), number(changes)),
        (name("med_change"), Value::Bool(changes > 0)),
        (name("dm_med"), Value::Bool(drugs > 0)),
    ])
}

/// Names that are written in this file.
fn name(text: &'static str) -> Name {
    Name::parse(text).unwrap_or_else(|error| unreachable!("{error}"))
}
