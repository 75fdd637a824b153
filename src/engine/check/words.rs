//! Words that a patient gets: neutral, short, and saying who writes.

use crate::{
    diagnostic::Log,
    parse::{
        fields::shorten,
        tree::{Kind, Node},
    },
    text::{Coding, PARTS_GSM7_MAX, PARTS_UCS2_MAX, longest, sms_size},
};

/// Words that name a diagnosis, a specialty or an instrument. Messages travel unencrypted and are read by others.
pub const BANNED: [&str; 42] = [
    "cancer",
    "tumour",
    "tumor",
    "carcinoma",
    "oncolog",
    "urolog",
    "bladder",
    "cystoscop",
    "depress",
    "suicid",
    "psychiat",
    "hiv",
    "aids",
    "chemotherapy",
    "radiotherapy",
    "heart failure",
    "cardiolog",
    "phq",
    "gad-7",
    "copd",
    "diabet",
    "hepatitis",
    "pregnan",
    "癌",
    "肿瘤",
    "泌尿",
    "膀胱",
    "尿道",
    "抑郁",
    "自杀",
    "精神科",
    "艾滋",
    "化疗",
    "放疗",
    "心力衰竭",
    "心衰",
    "心内科",
    "糖尿病",
    "肝炎",
    "怀孕",
    "肿块",
    "血尿",
];

/// Looks at words for patients; `sms` are words that travel as a text message, where neutrality and length count.
/// Pages behind a link may name what they ask about.
pub fn check_patient_words(node: &Node, sms: bool, log: &mut Log) {
    let Kind::Map(entries) = &node.kind else { return };
    if !sms {
        return;
    }
    for (language, value) in entries {
        let Kind::Scalar { text, .. } = &value.kind else { continue };
        check_neutral(text, value, log);
        check_length(&language.text, text, value, log);
        if !text.contains("{hospital}") {
            let message = "this message does not say who writes";
            log.warn("W103", value.at, message, "begin with \"{hospital}: \"");
        }
    }
}

fn check_neutral(text: &str, at: &Node, log: &mut Log) {
    let lower = text.to_lowercase();
    if let Some(banned) = BANNED.iter().find(|banned| begins_a_word(&lower, banned)) {
        let message = format!("this message says \"{banned}\", which gives away why the patient is treated");
        log.warn(
            "W102",
            at.at,
            message,
            "say it in neutral words; details belong on the page behind the link",
        );
    }
}

/// Latin words match at their beginning only, so that "hiv" is not found in "shiver".
fn begins_a_word(text: &str, banned: &str) -> bool {
    text.match_indices(banned).any(|(at, _)| {
        !banned.is_ascii() || !text[..at].chars().next_back().is_some_and(char::is_alphanumeric)
    })
}

fn check_length(language: &str, text: &str, at: &Node, log: &mut Log) {
    let size = sms_size(&longest(text));
    if !size.too_long() {
        return;
    }
    let (limit, coding) = match size.coding {
        Coding::Gsm7 => (PARTS_GSM7_MAX, "the 7-bit alphabet"),
        Coding::Ucs2 => (PARTS_UCS2_MAX, "UCS-2"),
    };
    let message = format!(
        "with the longest values the \"{}\" text message takes {} parts of {coding}; at most {limit} are sent",
        shorten(language),
        size.parts
    );
    let mend =
        if language == "en" { "shorten it, and use plain letters and quotes only" } else { "shorten it" };
    log.warn("W101", at.at, message, mend);
}
