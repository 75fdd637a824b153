//! Every route has an anonymous and a wrong-role case; a route that is not in the table is not served.

use actix_web::http::{Method, StatusCode};
use tend::web::routes::{self, Who};

use crate::support::app::TestApp;

#[actix_web::test]
async fn no_route_of_patients_shows_or_changes_anything_without_a_link() {
    let app = TestApp::start().await;
    let patients = routes::all().into_iter().filter(|route| route.who == Who::Patient);
    for route in patients {
        let path = filled(route.pattern);
        // Nobody, somebody with a cookie of another link, and somebody who is signed in as staff: all the same.
        for cookie in ["", "visit=9999999999.0.00", "session=abc"] {
            let answer =
                app.request(route.method.clone(), &path).header("Cookie", cookie).form(&[]).send().await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{} {path}", route.method);
        }
    }
}

#[actix_web::test]
async fn another_method_is_refused_plainly() {
    let app = TestApp::start().await;
    for route in routes::all() {
        let answer = app.request(Method::DELETE, &filled(route.pattern)).send().await;
        let refused = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_FOUND];
        assert!(refused.contains(&answer.status), "{}: {}", route.pattern, answer.status);
    }
}

#[test]
fn the_table_has_no_route_twice() {
    let mut seen = std::collections::BTreeSet::new();
    for route in routes::all() {
        assert!(seen.insert((route.method.to_string(), route.pattern)), "{} {}", route.method, route.pattern);
    }
}

/// A pattern with something in each place.
pub fn filled(pattern: &str) -> String {
    pattern
        .replace("{token}", "AAAAAAAAAAAAAAAAAAAAAA")
        .replace("{part}", "0")
        .replace("{item}", "weight")
        .replace("{rules}", "hf-fainted")
        .split('/')
        .map(|piece| if piece.starts_with('{') { "0190a000-0000-7000-8000-000000000001" } else { piece })
        .collect::<Vec<_>>()
        .join("/")
}
