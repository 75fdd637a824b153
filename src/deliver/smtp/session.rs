//! One connection to the mail server, one mail at a time.

use std::{fmt, time::Duration};

use lettre::transport::smtp::{
    Error,
    client::AsyncSmtpConnection,
    commands::{Data, Mail as MailFrom, Rcpt},
    extension::{Extension, MailParameter},
};
use tokio::time::timeout;

use crate::ports::{Cause, Connection, Handover, Outgoing, Pending, ProviderRef, Refusal};

use super::super::{
    mail::{Mail, Sender},
    never, not_now, ran_out, without_addresses,
};
use super::Timeouts;

/// How long a server has for its goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// An open connection.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    pipelining: bool,
    timeouts: Timeouts,
    sender: Sender,
    usable: bool,
}

/// Where in a mail's dialogue the server was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Sender,
    Recipient,
    Content,
}

impl Session {
    pub(super) fn new(
        connection: AsyncSmtpConnection,
        pipelining: bool,
        timeouts: Timeouts,
        sender: Sender,
    ) -> Self {
        Self { connection, pipelining, timeouts, sender, usable: true }
    }

    async fn send(&mut self, message: &Outgoing) -> Handover {
        let mail = match self.sender.compose(message) {
            Ok(mail) => mail,
            Err(no) => return Handover::Refused(no),
        };
        let addresses = mail.envelope.from().into_iter().chain(mail.envelope.to());
        let utf8 = addresses.map(AsRef::<str>::as_ref).any(|address| !address.is_ascii());
        if utf8 && !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Handover::Refused(never("the mail server takes no address with such letters"));
        }
        if let Some(late) = ran_out(message) {
            return late;
        }
        match timeout(self.timeouts.command, self.announce(&mail, utf8)).await {
            Ok(Ok(())) => self.deliver(mail).await,
            Ok(Err(no)) => Handover::Refused(no),
            Err(_) => {
                self.usable = false;
                Handover::Refused(not_now("the mail server did not answer before it was given the mail"))
            }
        }
    }

    /// Up to the server's "go on" (354). Until then nothing can have been taken.
    async fn announce(&mut self, mail: &Mail, utf8: bool) -> Result<(), Refusal> {
        let parameters = if utf8 { vec![MailParameter::SmtpUtfEight] } else { Vec::new() };
        let from = MailFrom::new(mail.envelope.from().cloned(), parameters);
        let to = mail.envelope.to().first().cloned().ok_or_else(|| never("no recipient"))?;
        let to = Rcpt::new(to, Vec::new());
        if self.pipelining {
            return self.announce_at_once(&from, &to).await;
        }
        let answer = self.connection.command(from).await;
        self.expect(Asked::Sender, answer).await?;
        let answer = self.connection.command(to).await;
        self.expect(Asked::Recipient, answer).await?;
        let answer = self.connection.command(Data).await;
        self.expect(Asked::Content, answer).await
    }

    /// The three commands in one packet (RFC 2920), then their three replies.
    async fn announce_at_once(&mut self, from: &MailFrom, to: &Rcpt) -> Result<(), Refusal> {
        let sender = self.connection.command(format!("{from}{to}{Data}")).await;
        if !is_reply(&sender) {
            return self.expect(Asked::Sender, sender).await;
        }
        let recipient = self.connection.read_response().await;
        if !is_reply(&recipient) {
            return self.expect(Asked::Recipient, recipient).await;
        }
        let content = self.connection.read_response().await;
        if (sender.is_err() || recipient.is_err()) && content.is_ok() {
            // It asks for content that has no recipient; there is no way back to a command but an empty mail.
            self.usable = false;
        }
        if sender.is_err() {
            return self.expect(Asked::Sender, sender).await;
        }
        if recipient.is_err() {
            return self.expect(Asked::Recipient, recipient).await;
        }
        self.expect(Asked::Content, content).await
    }

    async fn expect<T>(&mut self, asked: Asked, answer: Result<T, Error>) -> Result<(), Refusal> {
        let Err(error) = answer else { return Ok(()) };
        let refusal = refusal(asked, &error);
        self.recover(&error).await;
        Err(refusal)
    }

    /// From the first byte of the content on, only a reply is an answer.
    async fn deliver(&mut self, mail: Mail) -> Handover {
        let answer = timeout(self.timeouts.content, self.connection.command(Content(&mail.content))).await;
        match answer {
            Ok(Ok(reply)) => {
                let words = reply.first_line().unwrap_or_default();
                Handover::Accepted(ProviderRef(format!("{} {}", reply.code(), without_addresses(words))))
            }
            Ok(Err(error)) if error.status().is_some() => {
                self.recover(&error).await;
                Handover::Refused(refusal(Asked::Content, &error))
            }
            Ok(Err(error)) => {
                self.usable = false;
                Handover::Unknown(if error.is_timeout() { Cause::TimedOut } else { Cause::Cut })
            }
            Err(_) => {
                self.usable = false;
                Handover::Unknown(Cause::TimedOut)
            }
        }
    }

    /// After a refusal the next mail may go over this connection, unless the server is about to close it.
    async fn recover(&mut self, error: &Error) {
        let closing = error.status().is_none_or(|code| u16::from(code) == 421);
        if closing || !self.usable {
            self.usable = false;
            return;
        }
        let reset = timeout(self.timeouts.command, self.connection.command("RSET\r\n")).await;
        self.usable = matches!(reset, Ok(Ok(_)));
    }
}

impl Connection for Session {
    fn hand_over<'a>(&'a mut self, message: &'a Outgoing) -> Pending<'a, Handover> {
        Box::pin(self.send(message))
    }

    fn usable(&self) -> bool {
        self.usable && !self.connection.has_broken()
    }

    fn leave(&mut self) -> Pending<'_, ()> {
        Box::pin(async {
            if self.usable() {
                // A server that does not answer is left without an answer.
                let _ = timeout(GOODBYE, self.connection.quit()).await;
            }
            self.usable = false;
        })
    }
}

/// Whether the server said anything, yes or no.
fn is_reply<T>(answer: &Result<T, Error>) -> bool {
    answer.as_ref().err().is_none_or(|error| error.status().is_some())
}

/// A 5xx about the recipient or the content is for good. About the sender it is our own configuration, to be mended.
fn refusal(asked: Asked, error: &Error) -> Refusal {
    let words = without_addresses(&error.to_string());
    match error.status() {
        Some(_) if error.is_permanent() && asked != Asked::Sender => never(words),
        Some(_) => not_now(words),
        None => not_now(format!("the connection broke before the mail was given: {words}")),
    }
}

/// A mail with the dots that SMTP doubles, and the final one: written at once.
struct Content<'a>(&'a str);

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.split_inclusive('\n') {
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
        }
        f.write_str(if self.0.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_and_the_end_is_marked_once() {
        assert_eq!(Content("a\r\n.\r\n..b\r\n").to_string(), "a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(Content(".").to_string(), "..\r\n.\r\n");
    }
}
