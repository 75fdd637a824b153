//! How often one address may try something, by this process's own monotonic clock.

use std::num::NonZeroU32;

use actix_web::HttpRequest;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{Settings, WebError};

/// Tries a minute from one address; a household or a ward may share one.
pub const TRIES_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);
/// Addresses kept before those that may try again anyway are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Counts tries by address.
pub struct Limit(DefaultKeyedRateLimiter<String>);

impl Default for Limit {
    fn default() -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(TRIES_PER_MINUTE)))
    }
}

impl Limit {
    /// Counts a try.
    ///
    /// # Errors
    /// [`WebError::TooMany`].
    pub fn count(&self, request: &HttpRequest, settings: &Settings) -> Result<(), WebError> {
        if self.0.len() > ADDRESSES_MAX {
            self.0.retain_recent();
        }
        self.0.check_key(&address(request, settings)).map_err(|_| WebError::TooMany)
    }
}

/// Where a request comes from; what a proxy says of it is believed only where there is one.
#[must_use]
pub fn address(request: &HttpRequest, settings: &Settings) -> String {
    let connection = request.connection_info();
    let told =
        if settings.behind_tls_proxy { connection.realip_remote_addr() } else { connection.peer_addr() };
    told.unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn one_address_is_stopped_and_another_goes_on() {
        let limit = Limit::default();
        let from = |address: &str| {
            TestRequest::post().peer_addr(address.parse().expect("an address")).to_http_request()
        };
        let settings = Settings::default();
        for _ in 0..TRIES_PER_MINUTE.get() {
            assert!(limit.count(&from("192.0.2.1:1"), &settings).is_ok());
        }
        assert!(matches!(limit.count(&from("192.0.2.1:2"), &settings), Err(WebError::TooMany)));
        assert!(limit.count(&from("192.0.2.2:1"), &settings).is_ok());
    }

    #[test]
    fn a_forwarded_address_is_believed_only_behind_a_proxy() {
        let request = TestRequest::post()
            .peer_addr("192.0.2.1:1".parse().expect("an address"))
            .insert_header(("X-Forwarded-For", "203.0.113.7"))
            .to_http_request();
        assert_eq!(address(&request, &Settings::default()), "192.0.2.1");
        let proxied = Settings { behind_tls_proxy: true, ..Settings::default() };
        assert_eq!(address(&request, &proxied), "203.0.113.7");
    }
}
