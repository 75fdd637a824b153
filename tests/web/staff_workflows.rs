//! Publishing from the page: by an author, of what the page showed, and only where everything has an owner.

use std::sync::Arc;

use actix_web::http::StatusCode;
use tend_engine::model::{Role, Workflow};

use super::ward::{Ward, between};
use crate::support::app::{SITE, on_both_databases};

on_both_databases!(an_author_publishes_what_the_page_showed);

async fn active(ward: &Ward) -> String {
    let active = ward.pages.app.store.active_versions(SITE).await.expect("versions");
    active["hf-discharge-90d"].0.clone()
}

async fn an_author_publishes_what_the_page_showed() {
    let ward = Ward::open().await;
    ward.hire("writer", &["author"], &[]).await;
    ward.sign_in("writer").await;
    let same = ward.pages.get("/workflows").await;
    assert!(same.text().contains("The folder has the same as the active version."), "{}", same.text());
    assert!(!same.text().contains("/workflows/hf-discharge-90d/publish"));
    let of_folder = active(&ward).await;

    // The version in use is another one than the folder's.
    let app = &ward.pages.app;
    let library = app.live();
    let folder: &Arc<Workflow> =
        library.library.values().find(|w| w.id == *"hf-discharge-90d").expect("published");
    let mut older = Workflow::clone(folder);
    older.title.0.insert("en".into(), "Heart failure, as it was".into());
    let mut tx = app.store.begin();
    tx.publish(SITE, &older, None, app.clock.now()).await.expect("published");
    tx.commit().await.expect("a commit");
    app.refresh().await.expect("read again");
    assert_ne!(active(&ward).await, of_folder);

    let page = ward.pages.get("/workflows").await;
    let action = "/workflows/hf-discharge-90d/publish";
    assert!(page.text().contains(action), "{}", page.text());
    let (_, card) = page.text().split_once(action).expect("a form of its own");
    let version = between(card, "name=\"version\" value=\"", "\"").expect("what is published");
    let stale = ward.submit("/workflows", action, &[("version", "0123")]).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "the folder has changed since");
    let refused = ward.submit("/workflows", action, &[("version", &version)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("Not published: these roles"), "{}", refused.text());
    assert_ne!(active(&ward).await, of_folder);

    let all = [Role::Clerk, Role::Nurse, Role::NurseLead, Role::Clinician, Role::Pharmacist];
    ward.hire("everybody", &["nurse"], &all).await;
    let done = ward.submit("/workflows", action, &[("version", &version)]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    assert!(ward.pages.get(done.location()).await.text().contains("Published: new enrollments take it"));
    assert_eq!(active(&ward).await, of_folder);
    let again = ward.submit("/workflows", action, &[("version", &version)]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "twice is once");
    assert_eq!(active(&ward).await, of_folder);

    // Whoever is no author sees no folder.
    ward.sign_in("everybody").await;
    let page = ward.pages.get("/workflows").await;
    assert!(!page.text().contains("The folder has"), "{}", page.text());
    assert_eq!(
        ward.submit("/worklist", action, &[("version", &version)]).await.status,
        StatusCode::FORBIDDEN
    );
}
