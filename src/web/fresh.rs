//! After whatever somebody did, the next page shows it.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

use crate::app::App;

/// Forgets the pages that were kept, after every request that may have changed something.
///
/// # Errors
/// Those of the request.
pub async fn after_changes(
    app: Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let safe = request.method().is_safe();
    let answer = next.call(request).await;
    if !safe {
        app.forget_pages();
    }
    answer
}
