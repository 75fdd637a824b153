//! The demo's patients: invented people with telephone numbers and domains that are reserved for fiction.

use jiff::{ToSpan, civil::Date};

/// How many invented patients the demo has.
pub const PATIENTS: usize = 72;

/// An invented patient.
#[derive(Debug, Clone)]
pub struct Person {
    /// Number from 0; everything about the person follows from it.
    pub number: usize,
    /// Given and family name in the order of the language.
    pub name: String,
    /// Birth date.
    pub born: Date,
    /// `F` or `M`.
    pub sex: &'static str,
    /// `en` or `zh`.
    pub language: &'static str,
    /// IANA zone.
    pub zone: &'static str,
    /// Telephone number, from a range kept for drama.
    pub phone: String,
    /// E-mail address at a domain kept for examples.
    pub email: Option<String>,
    /// Agreed to up to three messages a day.
    pub daily_consent: bool,
    /// How the person behaves.
    pub habit: Habit,
    /// Which follow-up.
    pub course: Course,
    /// Days since the main anchor when the demo opens.
    pub days_in: i32,
}

/// How an invented patient behaves. The planner knows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Answers the same morning, all well.
    Steady,
    /// Answers most days, after a reminder.
    Forgetful,
    /// Answers, and gets worse from some day on.
    Worsening,
    /// Answers for a while, then falls silent.
    Fading,
    /// Never answers.
    Silent,
    /// Writes STOP after some days.
    Stops,
    /// Low in mood.
    LowMood,
}

/// Which follow-up an invented patient is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// Heart failure; the dry weight in tenths of a kilogram.
    HeartFailure { dry_weight_tenths: i64 },
    /// Bladder surveillance, with the risk group.
    Bladder { risk_group: &'static str },
}

const GIVEN_EN: [&str; 18] = [
    "Ada", "Ben", "Clara", "Dennis", "Edith", "Frank", "Grace", "Harold", "Iris", "Jack", "Kath", "Leonard",
    "Mabel", "Norman", "Olive", "Percy", "Rose", "Stanley",
];
const FAMILY_EN: [&str; 10] =
    ["Ashby", "Barlow", "Cotter", "Dunmore", "Elling", "Farrow", "Gadsby", "Hartwell", "Inskip", "Jarrow"];
const NAMES_ZH: [&str; 18] = [
    "陈秀兰",
    "李建国",
    "王桂英",
    "张志强",
    "刘玉梅",
    "赵国华",
    "黄丽珍",
    "周文斌",
    "吴淑芬",
    "徐德明",
    "孙玉兰",
    "马俊峰",
    "朱秀珍",
    "胡志明",
    "郭桂兰",
    "何永福",
    "高淑华",
    "林国栋",
];
const HABITS: [Habit; 12] = [
    Habit::Steady,
    Habit::Forgetful,
    Habit::Steady,
    Habit::Worsening,
    Habit::Steady,
    Habit::Fading,
    Habit::Forgetful,
    Habit::Steady,
    Habit::Silent,
    Habit::LowMood,
    Habit::Steady,
    Habit::Stops,
];
const RISK_GROUPS: [&str; 4] = ["high", "intermediate", "low", "very_high"];

/// The invented patients as of `today`.
#[must_use]
pub fn people(today: Date) -> Vec<Person> {
    (0..PATIENTS).map(|number| person(number, today)).collect()
}

fn person(number: usize, today: Date) -> Person {
    let female = number.is_multiple_of(2);
    let chinese = number % 4 == 3;
    let name = if chinese {
        NAMES_ZH[(number / 4) % NAMES_ZH.len()].to_owned()
    } else {
        format!(
            "{} {}",
            GIVEN_EN[number % GIVEN_EN.len()],
            FAMILY_EN[(number * 7 + number / 18) % FAMILY_EN.len()]
        )
    };
    let age = 52 + (number * 11 % 38);
    let age_days = i32::try_from(age * 365 + number * 29 % 365).unwrap_or(25_000);
    let heart = number % 3 != 2;
    let course = if heart {
        Course::HeartFailure { dry_weight_tenths: 580 + i64::try_from(number * 37 % 400).unwrap_or(0) }
    } else {
        Course::Bladder { risk_group: RISK_GROUPS[(number / 3) % RISK_GROUPS.len()] }
    };
    Person {
        number,
        name,
        born: today.saturating_sub(age_days.days()),
        sex: if female { "F" } else { "M" },
        language: if chinese { "zh" } else { "en" },
        zone: if chinese { "Asia/Shanghai" } else { "Europe/London" },
        phone: format!("+447700900{number:03}"),
        email: (number % 5 != 4).then(|| format!("patient{number:02}@example.org")),
        daily_consent: heart && number % 6 != 1,
        habit: HABITS[number % HABITS.len()],
        course,
        days_in: days_in(number, heart),
    }
}

fn days_in(number: usize, heart: bool) -> i32 {
    let spread = i32::try_from(number * 13 % 97).unwrap_or(0);
    if heart { 2 + spread * 38 / 97 } else { 40 + spread * 7 }
}
