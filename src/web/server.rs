//! The server: one application for the process and for tests; where it may listen.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::{
    App, Error, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::{Compress, from_fn},
    web::{self, Data, FormConfig, PathConfig, PayloadConfig, QueryConfig},
};

use super::{Web, WebError, csrf, error, fresh, headers, lang, routes};

/// Most bytes of a form. The longest answer a questionnaire takes fits in it several times.
pub const FORM_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of any other body, but for uploads, which state their own.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const SHUTDOWN_SECONDS: u64 = 10;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Not an address.
    #[error("\"{0}\" is not an address to listen on: write for example 127.0.0.1:8080")]
    Address(String),
    /// Plain HTTP where others can read along.
    #[error(
        "{0} can be reached from outside and this server speaks plain HTTP: listen on 127.0.0.1, or put a proxy that \
         terminates TLS in front and say so with --behind-tls-proxy"
    )]
    PlainHttp(SocketAddr),
    /// The port is taken, or may not be used.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
}

/// Opens the port. Plain HTTP outside loopback is refused unless a proxy terminates TLS.
///
/// # Errors
/// [`ServeError`].
pub fn listen(address: &str, behind_tls_proxy: bool) -> Result<TcpListener, ServeError> {
    let address: SocketAddr = address.parse().map_err(|_| ServeError::Address(address.to_owned()))?;
    if !address.ip().is_loopback() && !behind_tls_proxy {
        return Err(ServeError::PlainHttp(address));
    }
    TcpListener::bind(address).map_err(|error| ServeError::Listen(address, error))
}

/// Serves until it is told to stop.
///
/// # Errors
/// When the port cannot be used.
pub fn serve(listener: TcpListener, web: Data<Web>, threads: usize) -> io::Result<Server> {
    let server = HttpServer::new(move || application(web.clone()))
        .workers(threads)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

/// The whole of the pages, as the process and the tests run it.
pub fn application(
    web: Data<Web>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let app = Data::from(web.app.clone());
    App::new()
        .app_data(web)
        .app_data(app)
        .configure(limits)
        .configure(routes::register)
        .wrap(from_fn(fresh::after_changes))
        .wrap(from_fn(csrf::same_site))
        .wrap(from_fn(lang::remember))
        .wrap(from_fn(error::pages))
        .wrap(from_fn(headers::secure))
        .wrap(Compress::default())
}

fn limits(config: &mut web::ServiceConfig) {
    let form = FormConfig::default().limit(FORM_BYTES_MAX).error_handler(|error, _| match error {
        actix_web::error::UrlencodedError::Overflow { .. } => WebError::TooLarge.into(),
        _ => WebError::BadForm.into(),
    });
    config
        .app_data(form)
        .app_data(PayloadConfig::new(BODY_BYTES_MAX))
        .app_data(PathConfig::default().error_handler(|_, _| WebError::NotFound.into()))
        .app_data(QueryConfig::default().error_handler(|_, _| WebError::BadForm.into()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        assert!(matches!(listen("0.0.0.0:0", false), Err(ServeError::PlainHttp(_))));
        assert!(listen("0.0.0.0:0", true).is_ok());
        assert!(listen("127.0.0.1:0", false).is_ok());
        assert!(listen("[::1]:0", false).is_ok() || cfg!(not(target_os = "linux")));
        assert!(matches!(listen("localhost", false), Err(ServeError::Address(_))));
    }
}
