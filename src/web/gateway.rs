//! What the SMS gateway calls: delivery reports and inbound texts. No session and no page; a secret in the path, which is
//! compared in constant time. The gateway says GET, so these two routes change things on GET.

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use subtle::ConstantTimeEq;
use tend_engine::{MessageId, model::Channel};
use tracing::{error, warn};

use super::Web;
use crate::{
    app::receive::{Arrived, TEXT_BYTES_MAX},
    ports::ProviderRef,
};

/// Longest query that is read: a text of the longest kind, percent-encoded, and the other fields.
pub const QUERY_BYTES_MAX: usize = 6 * TEXT_BYTES_MAX;

/// `GET /gateway/{secret}/receipt?id=…&type=…`: what became of a message.
pub async fn receipt(web: Data<Web>, secret: Path<String>, request: HttpRequest) -> HttpResponse {
    let Some(fields) = fields(&web, &secret, &request) else { return refused() };
    let id = fields.text("id").filter(|id| MessageId::parse(id).is_ok());
    let (Some(id), Some(report)) = (id, fields.text("type").and_then(|number| Report::parse(&number))) else {
        return bad("a report has an id and a type");
    };
    let delivered = match report {
        Report::OnItsWay => return taken(),
        Report::Delivered => true,
        Report::Failed => false,
    };
    match web.app.receipt(&ProviderRef(id.into_owned()), delivered).await {
        Ok(_) => taken(),
        Err(error) => later(&error),
    }
}

/// `GET /gateway/{secret}/inbound?id=…&from=…&coding=…&charset=…&text=…`: a patient wrote.
pub async fn inbound(web: Data<Web>, secret: Path<String>, request: HttpRequest) -> HttpResponse {
    let Some(fields) = fields(&web, &secret, &request) else { return refused() };
    let (Some(id), Some(from)) = (fields.text("id"), fields.text("from")) else {
        return bad("an inbound text has an id and a sender");
    };
    let coding = fields.text("coding").unwrap_or_default();
    let charset = fields.text("charset").unwrap_or_default();
    let arrived = Arrived {
        provider_id: id.into_owned(),
        channel: Channel::Sms,
        address: international(&from),
        text: decoded(fields.bytes("text").unwrap_or_default(), &coding, &charset),
    };
    match web.app.receive(&arrived).await {
        Ok(_) => taken(),
        Err(error) => later(&error),
    }
}

/// What a delivery report says, by Kannel's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    Delivered,
    Failed,
    OnItsWay,
}

impl Report {
    /// 1 delivered, 2 failed, 16 refused by the operator; 4 buffered and 8 taken by the operator.
    fn parse(number: &str) -> Option<Self> {
        match number {
            "1" => Some(Self::Delivered),
            "2" | "16" => Some(Self::Failed),
            "4" | "8" => Some(Self::OnItsWay),
            _ => None,
        }
    }
}

/// The fields of a query as bytes: a text need not be UTF-8.
struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_slice())
    }

    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.bytes(name).map(String::from_utf8_lossy).filter(|text| !text.is_empty())
    }
}

/// The query, if the secret is right; without a secret in the settings nobody has the right one.
fn fields(web: &Web, secret: &str, request: &HttpRequest) -> Option<Fields> {
    let known = web.settings.gateway_secret.as_deref().filter(|known| !known.is_empty())?;
    let right: bool = known.as_bytes().ct_eq(secret.as_bytes()).into();
    let query = request.query_string();
    (right && query.len() <= QUERY_BYTES_MAX).then(|| Fields(query.split('&').map(field).collect()))
}

fn field(pair: &str) -> (String, Vec<u8>) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (String::from_utf8_lossy(&unescaped(name)).into_owned(), unescaped(value))
}

/// Undoes percent-encoding, with `+` for a space.
fn unescaped(text: &str) -> Vec<u8> {
    let hex = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok();
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let escaped = if *first == b'%' { tail.get(..2).and_then(hex) } else { None };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    bytes
}

/// The words: `coding` 2 is UTF-16BE, whatever `charset` says; else UTF-8, and what is none is Latin-1.
fn decoded(bytes: &[u8], coding: &str, charset: &str) -> String {
    if coding == "2" || charset.eq_ignore_ascii_case("UTF-16BE") {
        let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    }
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A sender's number as it is kept: operators leave the plus out, or write 00 for it.
fn international(from: &str) -> String {
    let digits: String = from.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => format!("+{digits}"),
    }
}

/// An empty answer: Kannel would send any words of it back to the phone.
fn taken() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("")
}

fn refused() -> HttpResponse {
    HttpResponse::NotFound().finish()
}

fn bad(what: &'static str) -> HttpResponse {
    warn!("the gateway called without what is needed: {what}");
    HttpResponse::BadRequest().finish()
}

/// The gateway tries again.
fn later(error: &dyn std::error::Error) -> HttpResponse {
    error!("what the gateway brought could not be kept: {error}");
    HttpResponse::ServiceUnavailable().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_the_coding_that_they_came_in() {
        assert_eq!(decoded(&[0x90, 0x00, 0x8b, 0xa2], "2", ""), "退订");
        assert_eq!(decoded("退订".as_bytes(), "0", "UTF-8"), "退订");
        assert_eq!(decoded(&[b'A', 0xca, b'T'], "0", "ISO-8859-1"), "AÊT");
        assert_eq!(decoded(&[0x90], "2", ""), "");
        assert_eq!(unescaped("a+b%20c%4%"), b"a b c%4%");
    }

    #[test]
    fn a_number_is_kept_with_its_plus() {
        for from in ["+8613800000001", "8613800000001", "008613800000001", "+86 138-0000-0001"] {
            assert_eq!(international(from), "+8613800000001", "{from}");
        }
    }
}
