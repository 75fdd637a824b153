//! An e-mail as bytes: one recipient, a stable Message-ID, plain words and the same words as HTML.
//!
//! The bytes are ASCII with `\r\n` and end in it, whatever the words are, so that any server takes them.

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};
use tend_engine::MessageId;

use crate::ports::{Outgoing, Refusal};

use super::{BadSetting, never};

/// Longest subject, in characters.
pub const SUBJECT_MAX: usize = 150;

/// Who mails are from.
#[derive(Debug, Clone)]
pub struct Sender {
    mailbox: Mailbox,
}

/// A mail, ready for the wire.
#[derive(Debug)]
pub struct Mail {
    /// Who it is from and to, for the server.
    pub envelope: Envelope,
    /// Headers and parts. ASCII.
    pub content: String,
}

impl Sender {
    /// Reads `Name <address>`.
    ///
    /// # Errors
    /// [`BadSetting`] when it is no address.
    pub fn parse(text: &str) -> Result<Self, BadSetting> {
        let mailbox = text.parse().map_err(|error| BadSetting {
            setting: "TEND_MAIL_FROM",
            what: format!(
                "\"{text}\" is not a sender ({error}): write it as Follow-up <care@hospital.example>"
            ),
        })?;
        Ok(Self { mailbox })
    }

    /// The Message-ID of a message: the same at every attempt.
    #[must_use]
    pub fn message_id(&self, id: MessageId) -> String {
        format!("<{id}@{}>", self.mailbox.email.domain())
    }

    /// Composes the mail.
    ///
    /// # Errors
    /// A permanent refusal when the recipient is no e-mail address.
    pub fn compose(&self, message: &Outgoing) -> Result<Mail, Refusal> {
        let to: Address = message.to.parse().map_err(|_| never("the recipient is not an e-mail address"))?;
        let subject = one_line(&message.subject);
        let html = match &message.html {
            Some(html) => html.clone(),
            None => html(&subject, &message.text, &message.language),
        };
        let mail = Message::builder()
            .from(self.mailbox.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .date_now()
            .message_id(Some(self.message_id(message.id)))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(message.text.clone(), html))
            .map_err(|_| never("the mail cannot be composed"))?;
        let envelope = mail.envelope().clone();
        // lettre encodes every part and header to ASCII; an exception would be refused here, not sent garbled.
        let content = String::from_utf8(mail.formatted()).ok().filter(|content| content.is_ascii());
        Ok(Mail { envelope, content: content.ok_or_else(|| never("the mail cannot be encoded"))? })
    }
}

/// Words for a header: one line, cut to size. Nothing in them can begin another header.
fn one_line(words: &str) -> String {
    let spaced = words.chars().map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c });
    let words: String = spaced.take(SUBJECT_MAX).collect();
    words.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Tells auto-responders to stay silent (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// The frame of the HTML part; its three names in double braces are filled here.
const PAGE: &str = include_str!("../../templates/message/mail.html");

enum Piece<'a> {
    Words(&'a str),
    Link(&'a str),
}

/// The words as a page: a paragraph a line, with links that can be pressed.
fn html(subject: &str, text: &str, language: &str) -> String {
    let mut body = String::with_capacity(2 * text.len());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        body.push_str("<p>");
        for piece in pieces(line) {
            match piece {
                Piece::Words(words) => body.push_str(&escaped(words)),
                Piece::Link(link) => {
                    let link = escaped(link);
                    body.push_str(&format!("<a href=\"{link}\">{link}</a>"));
                }
            }
        }
        body.push_str("</p>\n");
    }
    // The body last: nothing that a patient's words hold is filled in again.
    PAGE.replace("{{language}}", &escaped(language))
        .replace("{{subject}}", &escaped(subject))
        .replace("{{body}}", &body)
}

fn escaped(words: &str) -> String {
    let mut safe = String::with_capacity(words.len() + 16);
    for c in words.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// Splits a line at its web addresses, which become links.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(begin) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let end = rest[begin..].find(|c: char| !is_of_link(c)).map_or(rest.len(), |length| begin + length);
        let link = rest[begin..end].trim_end_matches(['.', ',', ';', '!', '?', ')']);
        found.push(Piece::Words(&rest[..begin]));
        found.push(Piece::Link(link));
        rest = &rest[begin + link.len()..];
    }
    found.push(Piece::Words(rest));
    found
}

fn is_of_link(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>')
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;
    use tend_engine::model::Channel;

    use super::*;

    fn outgoing(to: &str, subject: &str, text: &str) -> Outgoing {
        Outgoing {
            id: MessageId(0x0190_0000_0000_7000_8000_0000_0000_0001),
            channel: Channel::Email,
            to: to.into(),
            subject: subject.into(),
            text: text.into(),
            html: None,
            language: "zh".into(),
            deadline: Instant::now(),
        }
    }

    fn compose(to: &str, subject: &str, text: &str) -> Result<Mail, Refusal> {
        let sender = Sender::parse("Follow-up <care@hospital.example>").expect("a sender");
        sender.compose(&outgoing(to, subject, text))
    }

    #[test]
    fn both_parts_say_the_same_and_the_link_can_be_pressed() {
        let text = "今天感觉如何？\nhttps://t.example/a/b_c-1. <b>";
        let mail = compose("li@patients.example", "随访", text).expect("a mail");
        let parsed = mailparse::parse_mail(mail.content.as_bytes()).expect("a mail");
        let part = |kind: &str| {
            let part = parsed.parts().find(|part| part.ctype.mimetype == kind).expect("a part");
            part.get_body().expect("text")
        };
        assert_eq!(part("text/plain").replace("\r\n", "\n").trim_end(), text);
        let html = part("text/html");
        assert!(html.contains(r#"<a href="https://t.example/a/b_c-1""#), "{html}");
        assert!(html.contains("&lt;b&gt;") && html.contains(r#"<html lang="zh">"#), "{html}");
        assert!(mail.content.contains("Message-ID: <01900000-0000-7000-8000-000000000001@hospital.example>"));
        assert!(mail.content.contains("Auto-Submitted: auto-generated"));
    }

    #[test]
    fn an_address_that_is_none_is_refused_for_good() {
        for to in ["", "li", "li@x\r\nBcc: eve@evil.example", "a@b.example, c@d.example", "+8613800000001"] {
            assert!(compose(to, "Hello", "Hello").is_err_and(|refusal| refusal.permanent), "{to:?}");
        }
    }

    proptest! {
        /// Headers end at the first empty line; whatever the subject is, it stays within its own header.
        #[test]
        fn a_subject_can_begin_no_header(subject in "\\PC{0,40}(\r\n|\r|\n|\u{85}|\u{2028})Bcc: eve@evil.example\\PC{0,200}") {
            let mail = compose("li@patients.example", &subject, "Hello").expect("a mail");
            prop_assert!(mail.content.is_ascii());
            let head = mail.content.split("\r\n\r\n").next().unwrap_or_default();
            for line in head.split("\r\n") {
                let known = ["From:", "To:", "Subject:", "Date:", "Message-ID:", "Auto-Submitted:", "MIME-Version:",
                    "Content-Type:", " "].iter().any(|name| line.starts_with(name));
                prop_assert!(known && !line.contains(['\r', '\n']), "{line:?}");
            }
        }
    }
}
