//! Words on their way to a patient: placeholders, and how many parts a text message takes.

/// What may stand in braces in words for patients, with the longest value a site or link can give it.
pub const PLACEHOLDERS: [(&str, usize); 5] =
    [("hospital", 20), ("link", 62), ("ward_phone", 18), ("emergency_number", 10), ("crisis_line", 18)];
/// Most parts of a text message in the 7-bit alphabet.
pub const PARTS_GSM7_MAX: usize = 1;
/// Most parts of a text message in UCS-2, where a link alone fills most of one.
pub const PARTS_UCS2_MAX: usize = 2;

/// How a text message is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// The 7-bit alphabet: 160 characters in one part, 153 in each of several.
    Gsm7,
    /// 16-bit units: 70 in one part, 67 in each of several.
    Ucs2,
}

/// The size of a text message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsSize {
    /// How it is coded.
    pub coding: Coding,
    /// Septets or 16-bit units.
    pub units: usize,
    /// Parts that are paid for.
    pub parts: usize,
}

impl SmsSize {
    /// Whether it is longer than this project sends.
    #[must_use]
    pub fn too_long(self) -> bool {
        match self.coding {
            Coding::Gsm7 => self.parts > PARTS_GSM7_MAX,
            Coding::Ucs2 => self.parts > PARTS_UCS2_MAX,
        }
    }
}

/// A placeholder that nobody fills.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{{{0}}}\" is not a placeholder that can be filled here")]
pub struct UnknownPlaceholder(pub String);

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Counts septets or 16-bit units, and parts.
#[must_use]
pub fn sms_size(text: &str) -> SmsSize {
    let mut septets = 0;
    for c in text.chars() {
        if BASIC.contains(c) {
            septets += 1;
        } else if EXTENDED.contains(c) {
            septets += 2;
        } else {
            let units = text.encode_utf16().count();
            return SmsSize { coding: Coding::Ucs2, units, parts: ucs2_parts(text, units) };
        }
    }
    SmsSize { coding: Coding::Gsm7, units: septets, parts: gsm7_parts(text, septets) }
}

/// An escape pair is never split over two parts.
fn gsm7_parts(text: &str, septets: usize) -> usize {
    if septets <= 160 {
        return 1;
    }
    packed(text.chars().map(|c| if EXTENDED.contains(c) { 2 } else { 1 }), 153)
}

/// A surrogate pair is never split over two parts.
fn ucs2_parts(text: &str, units: usize) -> usize {
    if units <= 70 {
        return 1;
    }
    packed(text.chars().map(char::len_utf16), 67)
}

fn packed(widths: impl Iterator<Item = usize>, room: usize) -> usize {
    let (mut parts, mut used) = (1, 0);
    for width in widths {
        if used + width > room {
            parts += 1;
            used = 0;
        }
        used += width;
    }
    parts
}

/// What tells a patient how to stop text messages.
const STOP_HINTS: [&str; 3] = ["STOP", "退订", "退訂"];

/// Words without a last sentence that says how to stop text messages.
#[must_use]
pub fn without_stop_hint(words: &str) -> &str {
    let trimmed = words.trim_end();
    let body = trimmed.trim_end_matches(['.', '。', '!', '！']);
    let ends = |c: char| matches!(c, '.' | '。' | '!' | '！' | '?' | '？' | '\n');
    let Some((at, end)) = body.char_indices().rev().find(|(_, c)| ends(*c)) else { return words };
    let (kept, last) = body.split_at(at + end.len_utf8());
    if STOP_HINTS.iter().any(|hint| last.contains(hint)) { kept } else { words }
}

/// Pieces of words: plain text, and names in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it is.
    Plain(&'a str),
    /// The name between braces.
    Placeholder(&'a str),
}

/// Splits words at their placeholders. A brace without its partner is plain text.
#[must_use]
pub fn pieces(words: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = words;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else { break };
        let (before, name) = (&rest[..open], &rest[open + 1..open + length]);
        if !before.is_empty() {
            found.push(Piece::Plain(before));
        }
        found.push(Piece::Placeholder(name));
        rest = &rest[open + length + 1..];
    }
    if !rest.is_empty() {
        found.push(Piece::Plain(rest));
    }
    found
}

/// Fills the placeholders of `words`.
///
/// # Errors
/// [`UnknownPlaceholder`] for a name that `value` does not know; `check` finds these in files beforehand.
pub fn render<'v>(
    words: &str,
    value: impl Fn(&str) -> Option<std::borrow::Cow<'v, str>>,
) -> Result<String, UnknownPlaceholder> {
    let mut text = String::with_capacity(words.len() + 80);
    for piece in pieces(words) {
        match piece {
            Piece::Plain(plain) => text.push_str(plain),
            Piece::Placeholder(name) => {
                text.push_str(&value(name).ok_or_else(|| UnknownPlaceholder(name.to_owned()))?);
            }
        }
    }
    Ok(text)
}

/// The words with every placeholder at its longest, for counting.
#[must_use]
pub fn longest(words: &str) -> String {
    let longest_of = |name: &str| PLACEHOLDERS.iter().find(|(known, _)| *known == name).map(|(_, n)| *n);
    let fill = |piece: &Piece<'_>| match piece {
        Piece::Plain(plain) => (*plain).to_owned(),
        Piece::Placeholder(name) => "0".repeat(longest_of(name).unwrap_or(name.len() + 2)),
    };
    pieces(words).iter().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_does_not_say_how_to_stop_text_messages() {
        for (words, kept) in [
            (
                "{hospital}: questions: {link} Help: {ward_phone}. Reply STOP to end",
                "{hospital}: questions: {link} Help: {ward_phone}.",
            ),
            (
                "{hospital}：请回答：{link} 电话 {ward_phone}。退订回复TD",
                "{hospital}：请回答：{link} 电话 {ward_phone}。",
            ),
            ("You are due. Call {ward_phone}.", "You are due. Call {ward_phone}."),
            ("No more messages: STOP", "No more messages: STOP"),
            ("Signs of infection? Reply STOP to end.", "Signs of infection?"),
        ] {
            assert_eq!(without_stop_hint(words), kept);
        }
    }

    #[test]
    fn parts_are_counted_at_their_edges() {
        for (text, units, parts) in [
            ("a".repeat(160), 160, 1),
            ("a".repeat(161), 161, 2),
            ("a".repeat(306), 306, 2),
            ("a".repeat(307), 307, 3),
            ("€".repeat(80), 160, 1),
            ("€".repeat(81), 162, 2),
            // An escape pair does not fit into the last septet of a part.
            ("a".repeat(152) + "€" + &"a".repeat(152), 306, 3),
        ] {
            let expected = SmsSize { coding: Coding::Gsm7, units, parts };
            assert_eq!(sms_size(&text), expected, "{text}");
        }
        for (text, units, parts) in [
            ("好".repeat(70), 70, 1),
            ("好".repeat(71), 71, 2),
            ("好".repeat(134), 134, 2),
            ("好".repeat(135), 135, 3),
            ("😀".repeat(35), 70, 1),
            // 33 pairs fit into 67 units.
            ("😀".repeat(66), 132, 2),
            ("😀".repeat(67), 134, 3),
            ("a’".to_owned(), 2, 1),
        ] {
            let expected = SmsSize { coding: Coding::Ucs2, units, parts };
            assert_eq!(sms_size(&text), expected, "{text}");
        }
    }

    #[test]
    fn placeholders_are_filled_or_refused() {
        let value = |name: &str| (name == "link").then_some(std::borrow::Cow::Borrowed("https://x"));
        assert_eq!(render("go to {link}.", value), Ok("go to https://x.".to_owned()));
        assert_eq!(render("a { b", value), Ok("a { b".to_owned()));
        assert_eq!(render("{lnk}", value), Err(UnknownPlaceholder("lnk".to_owned())));
        assert_eq!(longest("{link}").len(), 62);
    }
}
