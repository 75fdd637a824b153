//! How people and carriers behave, in numbers that can be argued about.

use serde::{Deserialize, Serialize};

/// The models. Shares are parts of a thousand unless a name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// Patients who nearly always answer, and how often they do: 70 % with 94 %.
    pub keen: (u32, u32),
    /// Patients who often answer: 20 % with 70 %. The rest seldom do.
    pub often: (u32, u32),
    /// How often the rest answer: 30 %. Together 82.8 % of first messages are answered.
    pub seldom: u32,
    /// How often a reminder brings an answer that the first message did not.
    pub reminded: u32,
    /// Answers that come in the evening or at night, five to twelve hours later; the others come within three hours.
    pub at_night: u32,
    /// An item that is answered worse than at best by somebody whose day is ordinary.
    pub worse: u32,
    /// Days that are bad ones, on which that is five times as frequent.
    pub bad_days: u32,
    /// Optional numbers that are left out.
    pub left_out: u32,
    /// Numbers that carriers refuse for good, per patient.
    pub dead_numbers: u32,
    /// Messages that are refused for now.
    pub refused_for_now: u32,
    /// Messages that bounce.
    pub bounces: u32,
    /// Hand-overs whose answer is lost.
    pub lost_answers: u32,
    /// Messages that are answered with STOP, in parts of a hundred thousand.
    pub stops: u32,
    /// Tasks that wait for two days.
    pub slow_staff: u32,
    /// Visits to which the patient does not come.
    pub missed_visits: u32,
    /// Calls that do not reach the patient.
    pub missed_calls: u32,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            keen: (700, 940),
            often: (200, 700),
            seldom: 300,
            reminded: 350,
            at_night: 80,
            worse: 30,
            bad_days: 60,
            left_out: 100,
            dead_numbers: 10,
            refused_for_now: 5,
            bounces: 3,
            lost_answers: 1,
            stops: 50,
            slow_staff: 30,
            missed_visits: 80,
            missed_calls: 150,
        }
    }
}

/// The same numbers from the same seed, on every machine.
#[derive(Debug, Clone, Copy)]
pub struct Chance(u64);

impl Chance {
    /// Of one patient of a seed.
    #[must_use]
    pub fn of(seed: u64, patient: u64) -> Self {
        let mut chance = Self(seed ^ patient.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        chance.bits();
        chance
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when `end` is.
    pub fn below(&mut self, end: u32) -> u32 {
        u32::try_from(((self.bits() >> 32) * u64::from(end)) >> 32).unwrap_or(0)
    }

    /// Whether something happens that happens so often in a thousand.
    pub fn happens(&mut self, in_a_thousand: u32) -> bool {
        self.below(1_000) < in_a_thousand
    }
}
