//! Sites: added, and given other settings. Each change is a new version of the settings, which decisions name.

use tend_engine::{SiteId, site::SiteSettings};

use super::{App, site_setting::SettingKey};
use crate::store::{AuditLine, StoreError};

/// Why a site was not added or changed.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Another one is called so.
    #[error("there is a site called \"{0}\" already")]
    SameName(String),
    /// No such site.
    #[error("there is no site {0} in this database")]
    NotThere(String),
    /// Several sites, none named.
    #[error("this database has several sites: name one with --site: {0}")]
    Which(String),
    /// None at all.
    #[error("there is no site in this database: tend site add NAME --country CODE --ward-phone NUMBER")]
    None,
    /// A value cannot be.
    #[error("{0}")]
    Value(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// The site of that id, name or short name; the only one where none is named.
    ///
    /// # Errors
    /// [`SiteError`].
    pub fn which_site(&self, named: Option<&str>) -> Result<SiteId, SiteError> {
        let live = self.live();
        let Some(named) = named.map(str::trim) else {
            let mut sites = live.sites.keys();
            return match (sites.next(), sites.next()) {
                (Some(only), None) => Ok(*only),
                (None, _) => Err(SiteError::None),
                (Some(_), Some(_)) => Err(SiteError::Which(in_words(live.sites.iter()))),
            };
        };
        if let Some(id) = SiteId::parse(named).ok().filter(|id| live.sites.contains_key(id)) {
            return Ok(id);
        }
        let called = |site: &SiteSettings| {
            [&site.name, &site.short_name].iter().any(|name| name.to_lowercase() == named.to_lowercase())
        };
        let mut found = live.sites.iter().filter(|(_, site)| called(site));
        match (found.next(), found.next()) {
            (Some((id, _)), None) => Ok(*id),
            (None, _) => Err(SiteError::NotThere(named.to_owned())),
            (Some(one), Some(other)) => {
                Err(SiteError::Which(in_words([one, other].into_iter().chain(found))))
            }
        }
    }

    /// Adds a site.
    ///
    /// # Errors
    /// [`SiteError`].
    pub async fn add_site(&self, settings: &SiteSettings) -> Result<SiteId, SiteError> {
        if self.live().sites.values().any(|known| known.name == settings.name) {
            return Err(SiteError::SameName(settings.name.clone()));
        }
        let (id, now) = (SiteId(self.ids.fresh()), self.clock.now());
        let mut tx = self.store.begin();
        tx.add_site(id, settings, now).await?;
        self.note_in(&mut tx, line("add site", id, &settings.name), now).await?;
        tx.commit().await?;
        self.refresh().await?;
        Ok(id)
    }

    /// Gives a site other settings; says which of them are others now. Where none is, nothing is written.
    ///
    /// # Errors
    /// [`SiteError`].
    pub async fn change_site(
        &self,
        site: SiteId,
        change: impl FnOnce(&mut SiteSettings) -> Result<(), String>,
    ) -> Result<Vec<SettingKey>, SiteError> {
        let before = self.site(site);
        let mut settings = before.clone();
        change(&mut settings).map_err(SiteError::Value)?;
        let changed: Vec<SettingKey> =
            SettingKey::ALL.into_iter().filter(|key| key.get(&before) != key.get(&settings)).collect();
        if changed.is_empty() {
            return Ok(changed);
        }
        if self.live().sites.iter().any(|(id, known)| *id != site && known.name == settings.name) {
            return Err(SiteError::SameName(settings.name));
        }
        settings.version += 1;
        let now = self.clock.now();
        let words: Vec<&str> = changed.iter().map(|key| key.word()).collect();
        let mut tx = self.store.begin();
        tx.set_site(site, &settings, None, now).await?;
        self.note_in(&mut tx, line("set site", site, &words.join(" ")), now).await?;
        tx.commit().await?;
        self.refresh().await?;
        Ok(changed)
    }
}

fn in_words<'a>(sites: impl Iterator<Item = (&'a SiteId, &'a SiteSettings)>) -> String {
    sites.map(|(id, site)| format!("{} ({id})", site.name)).collect::<Vec<_>>().join(", ")
}

fn line(action: &'static str, site: SiteId, detail: &str) -> AuditLine {
    AuditLine {
        actor: "system".to_owned(),
        action,
        patient: None,
        subject: format!("site {site}"),
        detail: detail.to_owned(),
    }
}
