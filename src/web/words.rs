//! The product's own words in every language. A key without one of them, or with a value left out, does not compile.

pub mod chart;
pub mod common;
pub mod demo;
pub mod enrol;
pub mod monitor;
pub mod patient;
pub mod published;
pub mod queue;
pub mod staff;
pub mod story;
pub mod versions;
pub mod worklist;

pub use chart::Chart;
pub use common::Common;
pub use demo::Demo;
pub use enrol::Enrol;
pub use monitor::{Became, Monitor};
pub use patient::Patient;
pub use published::Published;
pub use queue::{Health, MessageLog, Risk, Workflows};
pub use staff::Staff;
pub use story::Story;
pub use versions::Versions;
pub use worklist::Worklist;

/// Declares a catalogue: `key: "English", "中文";` or `key(value): "… {value}", "… {value}";`.
/// Templates call a key as a method.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $catalogue:ident { $($key:ident $(($($value:ident),+))?: $en:literal, $zh:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $catalogue(pub $crate::web::Lang);

        #[allow(missing_docs, reason = "a key is described by its words")]
        impl $catalogue {
            /// Every key with its words, for checks and for the glossary.
            pub const ALL: &'static [(&'static str, &'static str, &'static str)] =
                &[$((stringify!($key), $en, $zh)),+];

            $($crate::words!(@key $key $(($($value),+))?: $en, $zh);)+
        }
    };
    (@key $key:ident: $en:literal, $zh:literal) => {
        #[must_use]
        pub fn $key(self) -> &'static str {
            match self.0 {
                $crate::web::Lang::En => $en,
                $crate::web::Lang::Zh => $zh,
            }
        }
    };
    (@key $key:ident($($value:ident),+): $en:literal, $zh:literal) => {
        #[must_use]
        pub fn $key(self, $($value: impl std::fmt::Display),+) -> String {
            match self.0 {
                $crate::web::Lang::En => format!($en, $($value = $value),+),
                $crate::web::Lang::Zh => format!($zh, $($value = $value),+),
            }
        }
    };
}

/// Keys of a catalogue that lack a language: no words at all, Chinese without Chinese characters, English with them.
#[must_use]
pub fn untranslated(all: &[(&'static str, &'static str, &'static str)]) -> Vec<&'static str> {
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let lacking = |(_, en, zh): &&(&str, &str, &str)| en.trim().is_empty() || han(en) || !han(zh);
    all.iter().filter(lacking).map(|(key, _, _)| *key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Lang;

    #[test]
    fn no_key_is_untranslated() {
        assert_eq!(untranslated(Common::ALL), [""; 0]);
        assert_eq!(untranslated(Demo::ALL), [""; 0]);
        assert_eq!(untranslated(Patient::ALL), [""; 0]);
        let staff = [
            Became::ALL,
            Monitor::ALL,
            Chart::ALL,
            Enrol::ALL,
            Health::ALL,
            Published::ALL,
            MessageLog::ALL,
            Risk::ALL,
            Staff::ALL,
            Story::ALL,
            Versions::ALL,
        ];
        for catalogue in staff.into_iter().chain([Workflows::ALL, Worklist::ALL]) {
            assert_eq!(untranslated(catalogue), [""; 0]);
        }
    }

    #[test]
    fn the_check_sees_what_is_missing() {
        let all = [("a", "A", "甲"), ("b", "B", "B"), ("c", "", "丙"), ("d", "丁", "丁")];
        assert_eq!(untranslated(&all), ["b", "c", "d"]);
    }

    #[test]
    fn values_stand_in_both_languages() {
        assert_eq!(Patient(Lang::En).question_of(2, 9), "Question 2 of 9");
        assert_eq!(Patient(Lang::Zh).question_of(2, 9), "第 2 题，共 9 题");
    }
}
