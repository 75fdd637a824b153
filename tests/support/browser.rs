//! Chromium, driven by a scenario in `tests/browser/scenarios`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::process::installed;

const SCENARIO_SECONDS: &str = "300";

/// Runs `tests/browser/scenarios/<scenario>.mjs` with `options` and gives its result. Panics with what the browser
/// said when the scenario fails.
pub fn play(scenario: &str, options: &Value) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    installed("chromium", &[PathBuf::from("/usr/bin/chromium")]);
    installed("playwright-core", &[folder.join("node_modules/playwright-core/package.json")]);
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10", SCENARIO_SECONDS]).arg(installed("node", &[]));
    command.arg(folder.join("run.mjs")).arg(scenario).arg(options.to_string()).current_dir(&folder);
    // Its standard input stays open as long as we live; see run.mjs.
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|e| panic!("node cannot be started: {e}"));
    let lifeline = child.stdin.take();
    let output = child.wait_with_output().expect("node can be waited for");
    drop(lifeline);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "browser scenario {scenario}: {}\n{said}", output.status);
    let printed = String::from_utf8_lossy(&output.stdout);
    let result = printed.lines().last().and_then(|line| serde_json::from_str(line).ok());
    result.unwrap_or_else(|| panic!("browser scenario {scenario} printed no result: {printed}"))
}

/// Panics with every violation in `found`, the result of `axe` in a scenario.
pub fn assert_accessible(what: &str, found: &Value) {
    assert_eq!(found, &serde_json::json!([]), "{what}: axe-core found\n{found:#}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::http::{self, Request, Response};
    use super::*;

    const GOOD: &str = r#"<!doctype html><html lang="en"><head><title>Good</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>Hello</h1><p id="script">plain</p>
<form method="post" action="/form"><label for="name">Name</label> <input id="name" name="name">
<button>Send</button></form></main><script src="/script.js"></script></body></html>"#;
    const BAD: &str = r#"<!doctype html><html lang="en"><head><title>Bad</title></head>
<body><main><h1>Hello</h1><img src="data:," ><input name="nameless"></main></body></html>"#;

    fn answer(request: &Request) -> Response {
        let mut page = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/good") => Response::html(GOOD),
            ("GET", "/bad") => Response::html(BAD),
            ("GET", "/script.js") => {
                Response::text(200, "document.getElementById('script').textContent = 'scripted'")
            }
            ("POST", "/form") => {
                let name = request.text("name");
                Response::html(&GOOD.replace("<h1>Hello</h1>", &format!("<h1>Hello {name}</h1>")))
            }
            _ => Response::text(404, "nothing here"),
        };
        // As strict as the product's own policy, so that the tools are known to work under it.
        page.headers.push(("Content-Security-Policy".into(), "default-src 'self'".into()));
        if request.path == "/script.js" {
            page.headers[0].1 = "text/javascript".into();
        }
        page
    }

    #[test]
    fn chromium_runs_with_and_without_scripts_and_axe_sees_what_is_wrong() {
        let server = http::serve(|request| answer(&request));
        let pictures = tempfile::tempdir().expect("a temporary folder");
        let base = format!("http://{}", server.address());
        let seen = play("self-check", &json!({ "base": base, "pictures": pictures.path() }));

        assert_accessible("the good page", &seen["good"]);
        let bad: Vec<&str> =
            seen["bad"].as_array().into_iter().flatten().filter_map(|v| v["id"].as_str()).collect();
        assert!(bad.contains(&"image-alt") && bad.contains(&"label"), "{bad:?}");
        assert_eq!((&seen["scripted"], &seen["unscripted"]), (&json!("scripted"), &json!("plain")));
        assert_eq!((&seen["language"], &seen["wide"]), (&json!("zh-CN"), &json!(true)));
        assert_eq!(seen["greeting"], "Hello Li");
        assert_accessible("the page after a form was sent", &seen["afterPost"]);
        let picture = std::fs::read(pictures.path().join("good.png")).expect("a picture");
        assert!(picture.starts_with(b"\x89PNG"), "a PNG");
    }
}
