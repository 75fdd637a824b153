//! `TEND_SMTP_URL`, read.

use std::{fs, time::Duration};

use lettre::transport::smtp::{
    authentication::Credentials,
    client::{Certificate, TlsParameters},
};
use reqwest::Url;

use super::super::BadSetting;

/// Whether the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// `smtps://`: from the first byte.
    Wrapped,
    /// `smtp://`: by STARTTLS when it is offered.
    Opportunistic,
    /// `smtp://…?tls=required`: by STARTTLS, or nothing is sent.
    Required,
    /// `smtp+plain://`: not at all, for a relay on the same machine.
    Never,
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection, encryption and signing in.
    pub connect: Duration,
    /// For the reply to a command.
    pub command: Duration,
    /// For the reply to the mail's content.
    pub content: Duration,
}

/// How to reach the mail server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub encryption: Encryption,
    /// Account and password.
    pub credentials: Option<Credentials>,
    /// A certificate to trust beside the well-known ones, in PEM.
    pub certificate: Option<Vec<u8>>,
    /// How long to wait.
    pub timeouts: Timeouts,
}

const EXAMPLE: &str = "write it as smtp://user:password@mail.hospital.example:587, smtps://…, or \
                       smtp+plain://127.0.0.1:25; ?tls=required and ?ca=FILE may follow";

fn bad(what: impl Into<String>) -> BadSetting {
    BadSetting { setting: "TEND_SMTP_URL", what: what.into() }
}

impl SmtpSettings {
    /// Reads the address of a mail server.
    ///
    /// # Errors
    /// [`BadSetting`] when it is none, or when the file of `ca` cannot be read.
    pub fn parse(text: &str) -> Result<Self, BadSetting> {
        let url = Url::parse(text).map_err(|error| bad(format!("not an address ({error}): {EXAMPLE}")))?;
        let query =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        if let Some((unknown, _)) = url.query_pairs().find(|(key, _)| key != "tls" && key != "ca") {
            return Err(bad(format!("\"{unknown}\" is not known here: {EXAMPLE}")));
        }
        let (encryption, usual_port) = match (url.scheme(), query("tls").as_deref()) {
            ("smtps", None) => (Encryption::Wrapped, 465),
            ("smtp", None) => (Encryption::Opportunistic, 587),
            ("smtp", Some("required")) => (Encryption::Required, 587),
            ("smtp+plain", None) => (Encryption::Never, 25),
            _ => {
                return Err(bad(format!("\"{}\" with these options is not spoken: {EXAMPLE}", url.scheme())));
            }
        };
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| bad(format!("no host: {EXAMPLE}")))?;
        let certificate = query("ca").map(|file| {
            fs::read(&file)
                .map_err(|error| bad(format!("the certificate \"{file}\" cannot be read: {error}")))
        });
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(usual_port),
            encryption,
            credentials: credentials(&url)?,
            certificate: certificate.transpose()?,
            timeouts: Timeouts::default(),
        })
    }

    /// What a certificate of the server must fit.
    pub(super) fn tls_parameters(&self) -> Result<TlsParameters, BadSetting> {
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(pem) = &self.certificate {
            let certificate = Certificate::from_pem(pem);
            let unreadable = |error| bad(format!("the certificate of ?ca= is not in PEM: {error}"));
            builder = builder.add_root_certificate(certificate.map_err(unreadable)?);
        }
        builder.build().map_err(|error| bad(format!("encryption cannot be prepared: {error}")))
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>, BadSetting> {
    let Some(password) = url.password() else {
        let none = url.username().is_empty();
        return if none { Ok(None) } else { Err(bad(format!("an account without a password: {EXAMPLE}"))) };
    };
    Ok(Some(Credentials::new(decoded(url.username()), decoded(password))))
}

/// Undoes percent-encoding; what is not encoded stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_how_to_encrypt() {
        let read = |text: &str| SmtpSettings::parse(text).map(|s| (s.host, s.port, s.encryption));
        assert_eq!(read("smtps://mail.example"), Ok(("mail.example".into(), 465, Encryption::Wrapped)));
        assert_eq!(read("smtp://mail.example"), Ok(("mail.example".into(), 587, Encryption::Opportunistic)));
        assert_eq!(read("smtp://[::1]:25?tls=required"), Ok(("::1".into(), 25, Encryption::Required)));
        assert_eq!(read("smtp+plain://127.0.0.1"), Ok(("127.0.0.1".into(), 25, Encryption::Never)));
    }

    #[test]
    fn a_password_may_hold_anything_and_is_in_no_error() {
        let settings = SmtpSettings::parse("smtp://care%40x:p%3Aw%25@mail.example").expect("an address");
        assert_eq!(settings.credentials, Some(Credentials::new("care@x".into(), "p:w%".into())));
        for text in
            ["smtp://me:secret@mail?tls=maybe", "http://me:secret@mail", "smtps://me:secret@m?ca=/none"]
        {
            let error = SmtpSettings::parse(text).expect_err("bad").to_string();
            assert!(!error.contains("secret") && error.starts_with("TEND_SMTP_URL: "), "{error}");
        }
        assert!(SmtpSettings::parse("smtp://me@mail.example").is_err(), "no password");
    }
}
