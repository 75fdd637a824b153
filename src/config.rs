//! Where the settings of a process come from: environment and flags. Site settings live in the database.

use std::path::PathBuf;

use crate::jobs::{CONNECTIONS, CONNECTIONS_MAX};

/// Settings of one process.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// `sqlite://path` or `postgres://user@host/name`.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://tend.db")]
    pub database_url: String,
    /// Address to listen on.
    #[arg(long, env = "TEND_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Where patients reach this server; links in messages begin with it.
    #[arg(long, env = "TEND_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    pub public_url: String,
    /// Folder of workflow files; by default `./workflows` if it is there, else the built-in library.
    #[arg(long, env = "TEND_WORKFLOWS")]
    pub workflows: Option<PathBuf>,
    /// File with the site key, 64 hexadecimal digits. It wraps the patients' keys: keep a copy apart from the backups.
    #[arg(long, env = "TEND_SITE_KEY_FILE")]
    pub site_key_file: Option<PathBuf>,
    /// SMTP server, `smtp://user:password@host:port` with STARTTLS when offered, `smtps://…`, or `smtp+plain://host:port`.
    #[arg(long, env = "TEND_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Sender of e-mails.
    #[arg(long, env = "TEND_MAIL_FROM", default_value = "Follow-up <no-reply@localhost>")]
    pub mail_from: String,
    /// Kannel's sendsms address, `http://host:port/cgi-bin/sendsms?username=…&password=…`.
    #[arg(long, env = "TEND_SMS_URL", hide_env_values = true)]
    pub sms_url: Option<String>,
    /// Sender of SMS.
    #[arg(long, env = "TEND_SMS_FROM", default_value = "Tend")]
    pub sms_from: String,
    /// Secret in the addresses that the gateway calls back (receipts, inbound texts).
    #[arg(long, env = "TEND_GATEWAY_SECRET", hide_env_values = true)]
    pub gateway_secret: Option<String>,
    /// Connections to the mail server, and as many to the SMS gateway. A crash leaves no more messages in doubt than these.
    #[arg(long, env = "TEND_CONNECTIONS", default_value_t = CONNECTIONS, value_parser = connections())]
    pub connections: u16,
    /// A proxy in front terminates TLS; without it plain HTTP is served on loopback only.
    #[arg(long, env = "TEND_BEHIND_TLS_PROXY")]
    pub behind_tls_proxy: bool,
}

/// Reads a number of connections.
pub fn connections() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=i64::from(CONNECTIONS_MAX))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn connections_have_an_edge() {
        let with =
            |n: &str| Line::try_parse_from(["tend", "--connections", n]).map(|line| line.config.connections);
        assert_eq!(
            Line::try_parse_from(["tend"]).ok().map(|line| line.config.connections),
            Some(CONNECTIONS)
        );
        assert_eq!((with("1").ok(), with("256").ok()), (Some(1), Some(CONNECTIONS_MAX)));
        assert!(with("0").is_err() && with("257").is_err());
    }
}
