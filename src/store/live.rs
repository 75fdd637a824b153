//! What decisions look at beside the history: published versions and site settings.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use tend_engine::{SiteId, StaffId, VersionHash, model::Workflow, planner::Library, site::SiteSettings};

use super::{
    Store, StoreError, Tx,
    entity::{setting, site, site_setting, team, version},
    project::json,
    read::sql::Sql,
    words::{micros, uuid},
};

/// How much there is of what decisions look at: every change adds a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub struct LiveMark {
    versions: i64,
    sites: i64,
    settings: i64,
}

impl Store {
    /// Changes when a version is published, a site added or its settings changed, by whichever process. Costs no more than
    /// counting a few rows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn live_mark(&self) -> Result<LiveMark, StoreError> {
        let db = self.reader();
        let query = "select (select count(*) from version) as versions, (select count(*) from site) as sites, \
                     (select count(*) from site_setting) as settings";
        let mark = Sql::new(db, query).first(db).await?;
        mark.ok_or_else(|| StoreError::unreadable("the number of versions", "there is none"))
    }

    /// Every published version, of all sites.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn library(&self) -> Result<Library, StoreError> {
        let rows = version::Entity::find().all(self.reader()).await?;
        let mut library = Library::new();
        for row in rows {
            if let Entry::Vacant(free) = library.entry(VersionHash(row.hash)) {
                let workflow: Workflow = serde_json::from_str(&row.model)
                    .map_err(|error| StoreError::unreadable("published version", error))?;
                free.insert(Arc::new(workflow));
            }
        }
        Ok(library)
    }

    /// The version of each workflow that new patients of a site are put on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn active_versions(&self, site: SiteId) -> Result<BTreeMap<String, VersionHash>, StoreError> {
        let rows: Vec<(String, String)> = version::Entity::find()
            .select_only()
            .columns([version::Column::Workflow, version::Column::Hash])
            .filter(version::Column::Site.eq(uuid(site.0)))
            .filter(version::Column::Active.eq(true))
            .into_tuple()
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().map(|(workflow, hash)| (workflow, VersionHash(hash))).collect())
    }

    /// The latest settings of every site.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sites(&self) -> Result<BTreeMap<SiteId, SiteSettings>, StoreError> {
        let rows = site_setting::Entity::find()
            .order_by_asc(site_setting::Column::Version)
            .all(self.reader())
            .await?;
        let mut sites: BTreeMap<SiteId, SiteSettings> = site::Entity::find()
            .all(self.reader())
            .await?
            .into_iter()
            .map(|row| (SiteId(row.id.as_u128()), SiteSettings { name: row.name, ..SiteSettings::default() }))
            .collect();
        for row in rows {
            let settings: SiteSettings = serde_json::from_str(&row.body)
                .map_err(|error| StoreError::unreadable("site settings", error))?;
            sites.insert(SiteId(row.site.as_u128()), settings);
        }
        Ok(sites)
    }

    /// Every version of every site's settings.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settings_ever(&self) -> Result<BTreeMap<SiteId, BTreeMap<u64, SiteSettings>>, StoreError> {
        let mut ever: BTreeMap<SiteId, BTreeMap<u64, SiteSettings>> = BTreeMap::new();
        for row in site_setting::Entity::find().all(self.reader()).await? {
            let settings: SiteSettings = serde_json::from_str(&row.body)
                .map_err(|error| StoreError::unreadable("site settings", error))?;
            ever.entry(SiteId(row.site.as_u128())).or_default().insert(settings.version, settings);
        }
        Ok(ever)
    }

    /// A setting of the whole installation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(setting::Entity::find_by_id(key).one(self.reader()).await?.map(|row| row.value))
    }
}

impl Tx {
    /// Adds a site with its first settings.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_site(
        &mut self,
        id: SiteId,
        settings: &SiteSettings,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = site::ActiveModel {
            id: Set(uuid(id.0)),
            name: Set(settings.name.clone()),
            created_at: Set(micros(now)),
        };
        site::Entity::insert(row).exec_without_returning(self.conn().await?).await?;
        self.set_site(id, settings, None, now).await
    }

    /// Adds a team to a site.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_team(&mut self, id: u128, site: SiteId, name: &str) -> Result<(), StoreError> {
        let row =
            team::ActiveModel { id: Set(uuid(id)), site: Set(uuid(site.0)), name: Set(name.to_owned()) };
        team::Entity::insert(row).exec_without_returning(self.conn().await?).await?;
        Ok(())
    }

    /// Writes new settings of a site; `settings.version` must be one that was not used yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_site(
        &mut self,
        site: SiteId,
        settings: &SiteSettings,
        by: Option<StaffId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = site_setting::ActiveModel {
            site: Set(uuid(site.0)),
            version: Set(i64::try_from(settings.version).unwrap_or(i64::MAX)),
            body: Set(json(settings)),
            set_by: Set(by.map(|id| uuid(id.0))),
            set_at: Set(micros(now)),
        };
        let tx = self.conn().await?;
        site_setting::Entity::insert(row).exec_without_returning(tx).await?;
        site::Entity::update_many()
            .col_expr(site::Column::Name, Expr::value(settings.name.as_str()))
            .filter(site::Column::Id.eq(uuid(site.0)))
            .exec(tx)
            .await?;
        self.wakes();
        Ok(())
    }

    /// Sets a setting of the whole installation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_setting(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        self.set_quietly(key, value).await?;
        self.wakes();
        Ok(())
    }

    /// The same for what nobody waits for.
    pub(super) async fn set_quietly(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        let row = setting::ActiveModel { key: Set(key.to_owned()), value: Set(value.to_owned()) };
        setting::Entity::insert(row)
            .on_conflict(
                OnConflict::column(setting::Column::Key).update_column(setting::Column::Value).to_owned(),
            )
            .exec_without_returning(self.conn().await?)
            .await?;
        Ok(())
    }

    /// Publishes a version at a site: stored whole, and from now on the one that new patients are put on.
    /// Says whether it was not published there before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn publish(
        &mut self,
        site: SiteId,
        workflow: &Workflow,
        by: Option<StaffId>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let hash = workflow.version();
        let tx = self.conn().await?;
        let there = version::Entity::find_by_id((hash.0.clone(), uuid(site.0))).one(tx).await?.is_some();
        version::Entity::update_many()
            .col_expr(version::Column::Active, false.into())
            .filter(version::Column::Site.eq(uuid(site.0)))
            .filter(version::Column::Workflow.eq(workflow.id.as_str()))
            .exec(tx)
            .await?;
        let row = version::ActiveModel {
            hash: Set(hash.0),
            site: Set(uuid(site.0)),
            workflow: Set(workflow.id.to_string()),
            model: Set(json(workflow)),
            published_at: Set(micros(now)),
            published_by: Set(by.map(|id| uuid(id.0))),
            active: Set(true),
        };
        version::Entity::insert(row)
            .on_conflict(
                OnConflict::columns([version::Column::Hash, version::Column::Site])
                    .update_columns([
                        version::Column::Active,
                        version::Column::PublishedAt,
                        version::Column::PublishedBy,
                    ])
                    .to_owned(),
            )
            .exec_without_returning(tx)
            .await?;
        self.wakes();
        Ok(!there)
    }
}
