//! The carriers of a process, from its settings.

use std::sync::Arc;

use crate::{
    config::Config,
    deliver::{
        BadSetting,
        kannel::{Kannel, KannelSettings},
        smtp::{Smtp, SmtpSettings},
    },
    ports::Carrier,
};

/// A carrier, and where it leads.
pub type Way = (Arc<dyn Carrier>, String);

/// The carriers, and where each leads, without passwords: start-up prints it.
///
/// # Errors
/// [`BadSetting`]; also when a process that sends has no way to send.
pub fn carriers(config: &Config) -> Result<Vec<Way>, BadSetting> {
    let mut carriers: Vec<Way> = Vec::new();
    if let Some(url) = &config.smtp_url {
        let settings = SmtpSettings::parse(url)?;
        let place = format!("e-mail by {}:{}", settings.host, settings.port);
        carriers.push((Arc::new(Smtp::new(settings, &config.mail_from)?), place));
    }
    if let Some(url) = &config.sms_url {
        let secret = config.gateway_secret.as_ref().ok_or_else(|| BadSetting {
            setting: "TEND_GATEWAY_SECRET",
            what: "is missing: the gateway's receipts and inbound texts carry it; write 32 random characters"
                .into(),
        })?;
        let report = format!("{}/gateway/{secret}/receipt", config.public_url.trim_end_matches('/'));
        let place = format!("SMS by {}", url.split('?').next().unwrap_or_default());
        carriers
            .push((Arc::new(Kannel::new(KannelSettings::new(url, &config.sms_from, Some(report)))?), place));
    }
    Ok(carriers)
}
