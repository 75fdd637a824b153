//! Somebody with a browser, over the network: cookies are kept, redirects are followed by hand.

use std::collections::BTreeMap;

use super::http::{self, encode};

/// The browser.
pub struct Visitor {
    base: String,
    cookies: BTreeMap<String, String>,
}

/// A page, or where it leads.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The status code.
    pub status: u16,
    /// The `Location` header; empty when there is none.
    pub location: String,
    /// The page.
    pub text: String,
}

impl Seen {
    /// The value of a hidden field of the page.
    pub fn hidden(&self, name: &str) -> String {
        let start = format!("type=\"hidden\" name=\"{name}\" value=\"");
        let rest = self.text.split_once(&start).map(|(_, rest)| rest);
        let value = rest.and_then(|rest| rest.split_once('"')).map(|(value, _)| value.to_owned());
        value.unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }

    /// The same, asserted to say all of `words`.
    pub fn says(self, words: &[&str]) -> Seen {
        for word in words {
            assert!(self.text.contains(word), "the page does not say `{word}`: {}", self.text);
        }
        self
    }

    /// Where it leads, asserted to lead somewhere.
    pub fn leads(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        &self.location
    }
}

impl Visitor {
    /// With no cookies yet, at `http://host:port`.
    pub fn at(base: &str) -> Visitor {
        Visitor { base: base.to_owned(), cookies: BTreeMap::new() }
    }

    /// `GET path`.
    pub fn get(&mut self, path: &str) -> Seen {
        self.ask("GET", path, "")
    }

    /// `POST path` with a form.
    pub fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Seen {
        let field = |(name, value): &(&str, &str)| {
            format!("{}={}", encode(name.as_bytes()), encode(value.as_bytes()))
        };
        self.ask("POST", path, &form.iter().map(field).collect::<Vec<_>>().join("&"))
    }

    /// Posts the form of the page at `path` to `action`, with the page's token.
    pub fn submit(&mut self, path: &str, action: &str, form: &[(&str, &str)]) -> Seen {
        let csrf = self.get(path).hidden("csrf");
        let mut whole = vec![("csrf", csrf.as_str())];
        whole.extend_from_slice(form);
        self.post(action, &whole)
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Seen {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded")];
        if !cookies.is_empty() {
            headers.push(("Cookie", &cookies));
        }
        let url = format!("{}{path}", self.base);
        let answer =
            http::send(method, &url, &headers, body).unwrap_or_else(|e| panic!("{method} {url}: {e}"));
        for cookie in answer.all("set-cookie") {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = answer.all("location").next().unwrap_or_default().to_owned();
        Seen { status: answer.status, location, text: answer.body }
    }
}
