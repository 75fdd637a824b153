//! E-mail through an SMTP server: lettre speaks the protocol, this module keeps one connection for a group of mails
//! and knows at every moment whether a mail can have been taken.
//!
//! Before the server has asked for the content (354) nothing can have been taken: whatever goes wrong is a refusal.
//! Once the content is on its way, only a reply is an answer; a stall or a cut is `Unknown`.

mod session;
mod settings;

use std::{sync::Arc, time::Duration};

use lettre::transport::smtp::{
    authentication::Mechanism,
    client::{AsyncSmtpConnection, TlsParameters},
    extension::ClientId,
};
use tend_engine::model::Channel;
use tokio::{net::TcpStream, time::timeout};

use crate::ports::{Carrier, Connection, Doubts, Pending, Refusal};

use super::{BadSetting, mail::Sender, not_now, without_addresses};
use session::Session;
pub use settings::{Encryption, SmtpSettings, Timeouts};

/// The mail server.
#[derive(Clone)]
pub struct Smtp {
    shared: Arc<Shared>,
}

struct Shared {
    settings: SmtpSettings,
    sender: Sender,
    hello: ClientId,
    tls: TlsParameters,
}

impl Smtp {
    /// Prepares the carrier; connects to nothing yet.
    ///
    /// # Errors
    /// [`BadSetting`] when the sender is no address or the certificate of the settings cannot be read.
    pub fn new(settings: SmtpSettings, from: &str) -> Result<Self, BadSetting> {
        let sender = Sender::parse(from)?;
        let tls = settings.tls_parameters()?;
        let shared = Shared { settings, sender, hello: ClientId::default(), tls };
        Ok(Self { shared: Arc::new(shared) })
    }

    async fn open(&self) -> Result<Session, Refusal> {
        let limit = self.shared.settings.timeouts.connect;
        match timeout(limit, self.shared.connect()).await {
            Ok(Ok((connection, pipelining))) => Ok(Session::new(
                connection,
                pipelining,
                self.shared.settings.timeouts,
                self.shared.sender.clone(),
            )),
            Ok(Err(no)) => Err(no),
            Err(_) => Err(not_now(format!("the mail server did not greet within {limit:?}"))),
        }
    }
}

impl Carrier for Smtp {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    fn doubts(&self) -> Doubts {
        Doubts::Neither
    }

    fn connect(&self) -> Pending<'_, Result<Box<dyn Connection>, Refusal>> {
        Box::pin(async {
            let session: Box<dyn Connection> = Box::new(self.open().await?);
            Ok(session)
        })
    }
}

impl Shared {
    /// Greets, encrypts and signs in. Gives the connection and whether commands may be sent ahead of replies.
    async fn connect(&self) -> Result<(AsyncSmtpConnection, bool), Refusal> {
        let SmtpSettings { host, port, encryption, .. } = &self.settings;
        let greeted = match encryption {
            Encryption::Wrapped => {
                let tls = Some(self.tls.clone());
                AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), None, &self.hello, tls, None)
                    .await
            }
            Encryption::Opportunistic | Encryption::Required | Encryption::Never => {
                let stream = self.tcp().await?;
                AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello).await
            }
        };
        let mut connection =
            greeted.map_err(|error| closed_door("the mail server does not greet", &error))?;
        self.encrypt(&mut connection).await?;
        self.sign_in(&mut connection).await?;
        let pipelining = offers_pipelining(&mut connection, &self.hello).await;
        Ok((connection, pipelining))
    }

    async fn tcp(&self) -> Result<TcpStream, Refusal> {
        let SmtpSettings { host, port, .. } = &self.settings;
        let stream = TcpStream::connect((host.as_str(), *port)).await;
        let stream = stream
            .map_err(|error| not_now(format!("the mail server cannot be reached ({})", error.kind())))?;
        // A reply waits for each write, so there is nothing to gather.
        stream
            .set_nodelay(true)
            .map_err(|error| not_now(format!("the connection broke ({})", error.kind())))?;
        Ok(stream)
    }

    async fn encrypt(&self, connection: &mut AsyncSmtpConnection) -> Result<(), Refusal> {
        let offered = connection.can_starttls();
        match self.settings.encryption {
            Encryption::Wrapped | Encryption::Never => Ok(()),
            Encryption::Opportunistic if !offered => Ok(()),
            Encryption::Required if !offered => {
                Err(not_now("the mail server offers no STARTTLS, which TEND_SMTP_URL requires"))
            }
            Encryption::Opportunistic | Encryption::Required => {
                let encrypted = connection.starttls(self.tls.clone(), &self.hello).await;
                encrypted.map_err(|error| closed_door("the mail server's encryption fails", &error))
            }
        }
    }

    async fn sign_in(&self, connection: &mut AsyncSmtpConnection) -> Result<(), Refusal> {
        let Some(credentials) = &self.settings.credentials else { return Ok(()) };
        if !connection.is_encrypted() && self.settings.encryption != Encryption::Never {
            return Err(not_now("the mail server offers no STARTTLS: the password is not sent in the clear"));
        }
        let signed_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await;
        signed_in.map(|_| ()).map_err(|error| closed_door("the mail server does not sign us in", &error))
    }
}

/// lettre does not keep the extension's name, so the greeting is said once more for each connection.
async fn offers_pipelining(connection: &mut AsyncSmtpConnection, hello: &ClientId) -> bool {
    let ehlo = lettre::transport::smtp::commands::Ehlo::new(hello.clone());
    let Ok(answer) = connection.command(ehlo).await else { return false };
    answer.message().any(|line| line.trim().eq_ignore_ascii_case("PIPELINING"))
}

/// A connection that does not come to stand is never the patient's address: always a refusal for now.
fn closed_door(what: &str, error: &lettre::transport::smtp::Error) -> Refusal {
    not_now(format!("{what}: {}", without_addresses(&error.to_string())))
}

/// The default patience. A mail's dialogue must end within the lease of its message, 30 s from the claim.
impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            command: Duration::from_secs(5),
            content: Duration::from_secs(15),
        }
    }
}
