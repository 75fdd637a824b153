//! What an inbound text means: STOP and its kin in several languages, START, HELP, a danger word, or anything else.

use crate::fact::Reply;

const STOP: [&str; 20] = [
    "stop",
    "stop all",
    "stopall",
    "quit",
    "end",
    "revoke",
    "opt out",
    "optout",
    "cancel",
    "unsubscribe",
    "stopp",
    "arret",
    "baja",
    "td",
    "t",
    "退订",
    "退訂",
    "停止",
    "取消",
    "拒收",
];
const START: [&str; 6] = ["start", "unstop", "yes start", "重新订阅", "恢复", "开始"];
const HELP: [&str; 6] = ["help", "info", "hilfe", "aide", "帮助", "幫助"];
/// May stand around a keyword without changing what it means.
const POLITE: [&str; 10] =
    ["please", "pls", "thanks", "thank", "you", "now", "messages", "texts", "sms", "请"];

/// Longest text that is looked at for a keyword; danger words are found anywhere.
pub const KEYWORD_TEXT_MAX: usize = 64;

/// Reads an inbound text. A keyword counts in any case, with any punctuation and spaces around it, and in full-width
/// letters; `danger_words` are the site's, and one anywhere in a text that is not itself a keyword counts.
#[must_use]
pub fn meaning(text: &str, danger_words: &[String]) -> Reply {
    let words = normalised(text);
    if let Some(reply) = keyword(&words) {
        return reply;
    }
    let squeezed = words.replace(' ', "");
    let dangerous = |word: &String| {
        let word = normalised(word).replace(' ', "");
        !word.is_empty() && squeezed.contains(&word)
    };
    if danger_words.iter().any(dangerous) { Reply::Danger } else { Reply::Other }
}

fn keyword(words: &str) -> Option<Reply> {
    if words.len() > KEYWORD_TEXT_MAX {
        return None;
    }
    let plain: Vec<&str> = words.split(' ').filter(|word| !POLITE.contains(word)).collect();
    let plain = plain.join(" ");
    let is = |list: &[&str]| list.contains(&plain.as_str()) || list.contains(&words);
    if is(&STOP) {
        Some(Reply::Stop)
    } else if is(&START) {
        Some(Reply::Start)
    } else if is(&HELP) {
        Some(Reply::Help)
    } else {
        None
    }
}

/// Lower case, half-width, without accents and punctuation, single spaces.
fn normalised(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for c in text.chars().flat_map(|c| half_width(c).to_lowercase()) {
        let c = without_accent(c);
        if is_combining(c) || is_invisible(c) {
            continue;
        }
        if c.is_alphanumeric() {
            words.push(c);
        } else if !words.is_empty() && !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words.truncate(words.trim_end().len());
    words
}

fn half_width(c: char) -> char {
    match u32::from(c) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

fn without_accent(c: char) -> char {
    match c {
        'à'..='å' => 'a',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        _ => c,
    }
}

fn is_combining(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f)
}

fn is_invisible(c: char) -> bool {
    matches!(u32::from(c), 0x200b..=0x200f | 0x2060 | 0xfeff | 0xfe00..=0xfe0f)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::site::SiteSettings;

    fn read(text: &str) -> Reply {
        meaning(text, &SiteSettings::default().danger_words)
    }

    #[test]
    fn keywords_are_found_in_what_people_type() {
        let stops = "STOP|stop.|  Stop! |\"stop\"|ＳＴＯＰ|StopAll|STOP ALL|quit|End|revoke|Opt-Out|opt out|OPTOUT|Cancel|\
                     unsubscribe|STOPP|ARRÊT|Arret|arre\u{302}t|BAJA|TD|td。|Ｔ|退订|【退订】|　退订　|退訂|Please STOP|\
                     stop, please|STOP\u{200b}|stop texts";
        for text in stops.split('|') {
            assert_eq!(read(text), Reply::Stop, "{text:?}");
        }
        for text in ["START", "unstop", " Start. ", "重新订阅"] {
            assert_eq!(read(text), Reply::Start, "{text:?}");
        }
        for text in ["HELP", "info?", "帮助", "Help!!"] {
            assert_eq!(read(text), Reply::Help, "{text:?}");
        }
    }

    #[test]
    fn danger_is_heard_anywhere_but_no_keyword_is() {
        for text in [
            "I have CHEST PAIN since noon",
            "chestpain",
            "Stop. My chest pain is back",
            "我胸痛",
            "bleeding!!",
        ] {
            assert_eq!(read(text), Reply::Danger, "{text:?}");
        }
        for text in [
            "",
            "  ",
            "I could not stop coughing",
            "the end of the week is fine",
            "help me find the clinic",
            "8",
        ] {
            assert_eq!(read(text), Reply::Other, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn case_punctuation_and_spaces_never_matter(
            word in prop::sample::select(STOP.to_vec()),
            before in "[ \t\r\n.,!?\"'()。！，　-]{0,6}",
            after in "[ \t\r\n.,!?\"'()。！，　-]{0,6}",
            upper in prop::collection::vec(any::<bool>(), 16),
            wide in any::<bool>(),
        ) {
            let typed: String = word.chars().enumerate().map(|(at, c)| {
                let c = if upper[at % upper.len()] { c.to_ascii_uppercase() } else { c };
                match u32::from(c) {
                    code @ 0x21..=0x7e if wide => char::from_u32(code + 0xfee0).unwrap_or(c),
                    _ => c,
                }
            }).collect();
            prop_assert_eq!(read(&format!("{before}{typed}{after}")), Reply::Stop);
        }

        #[test]
        fn any_text_has_a_meaning(text in "\\PC{0,300}") {
            let _ = read(&text);
        }
    }
}
