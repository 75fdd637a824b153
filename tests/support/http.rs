//! A small HTTP/1.1 server and client, free of any runtime, for the parts that speak HTTP to the product.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;
use std::{fmt::Write as _, thread};

use super::net::Listening;

const MAX_HEADER_BYTES: u64 = 64 * 1024;
const CLIENT_TIMEOUT_SECONDS: u64 = 30;

/// What a client asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query's fields and, after them, those of a form body; decoded to bytes, which need not be UTF-8.
    pub fields: Vec<(String, Vec<u8>)>,
}

impl Request {
    /// The first field `name` as bytes.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_slice())
    }

    /// The first field `name` as text; the empty text when there is none.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(self.bytes(name).unwrap_or_default()).into_owned()
    }
}

/// What a server answers.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers beside the content's length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// Wait so long before the first byte.
    pub after: Duration,
    /// Say nothing and cut the connection instead.
    pub cut: bool,
}

impl Response {
    /// An answer with a body of text.
    pub fn text(status: u16, body: &str) -> Response {
        let headers = vec![("Content-Type".into(), "text/plain; charset=utf-8".into())];
        Response { status, headers, body: body.into(), after: Duration::ZERO, cut: false }
    }

    /// An answer with a page.
    pub fn html(body: &str) -> Response {
        let headers = vec![("Content-Type".into(), "text/html; charset=utf-8".into())];
        Response { headers, ..Response::text(200, body) }
    }
}

/// Serves `answer` on a free port; connections are kept open between requests.
pub fn serve(answer: impl Fn(Request) -> Response + Send + Sync + 'static) -> Listening {
    Listening::start(move |stream, _| {
        let _ = converse(stream, &answer);
    })
}

fn converse(stream: TcpStream, answer: &dyn Fn(Request) -> Response) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = read_request(&mut reader)? {
        let response = answer(request);
        thread::sleep(response.after);
        if response.cut {
            return writer.shutdown(Shutdown::Both);
        }
        writer.write_all(render(&response).as_bytes())?;
    }
    Ok(())
}

fn render(response: &Response) -> String {
    let mut text = format!("HTTP/1.1 {} -\r\nContent-Length: {}\r\n", response.status, response.body.len());
    for (name, value) in &response.headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text + "\r\n" + &response.body
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let Some((first, headers)) = read_head(reader)? else { return Ok(None) };
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let body = read_body(reader, &headers)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut fields = parse_form(query.as_bytes());
    if header(&headers, "content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    {
        fields.extend(parse_form(&body));
    }
    Ok(Some(Request { method: method.into(), path: path.into(), fields }))
}

type Head = (String, Vec<(String, String)>);

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut head = reader.take(MAX_HEADER_BYTES);
    let mut first = String::new();
    if head.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        head.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Some((first.trim_end().to_owned(), headers)))
}

fn read_body(reader: &mut impl BufRead, headers: &[(String, String)]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match header(headers, "content-length").and_then(|length| length.parse().ok()) {
        Some(length) => reader.take(length).read_to_end(&mut body)?,
        None => 0,
    };
    Ok(body)
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
}

fn parse_form(form: &[u8]) -> Vec<(String, Vec<u8>)> {
    let pair = |pair: &[u8]| {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let name = String::from_utf8_lossy(&decode(&pair[..at])).into_owned();
        (name, decode(pair.get(at + 1..).unwrap_or_default()))
    };
    form.split(|byte| *byte == b'&').filter(|field| !field.is_empty()).map(pair).collect()
}

/// Undoes percent-encoding, with `+` for a space.
pub fn decode(text: &[u8]) -> Vec<u8> {
    let hex = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok();
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let [first, tail @ ..] = rest {
        let escaped = if *first == b'%' { tail.get(..2).and_then(hex) } else { None };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    bytes
}

/// Percent-encodes every byte but letters and digits.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// `GET url` on a connection of its own: status and body.
pub fn get(url: &str) -> io::Result<(u16, String)> {
    let answer = send("GET", url, &[], "")?;
    Ok((answer.status, answer.body))
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Every value of a header.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.headers.iter().filter(move |(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// A request on a connection of its own. Only `http://host:port/…`, as all test parts are.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Answer> {
    let bad = |what: &str| io::Error::other(format!("{what} in {url}"));
    let (host, target) =
        url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or(bad("no host"))?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(CLIENT_TIMEOUT_SECONDS)))?;
    let mut request = format!("{method} /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    let _ = write!(request, "Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let (first, headers) = read_head(&mut reader)?.ok_or(bad("no answer"))?;
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(bad("no status"))?;
    let body = String::from_utf8_lossy(&read_body(&mut reader, &headers)?).into_owned();
    Ok(Answer { status, headers, body })
}

#[test]
fn a_form_survives_the_way_there() {
    let server = serve(|request| Response::text(200, &format!("{} {}", request.path, request.text("text"))));
    let text = "今天 & tomorrow + 100%";
    let url = format!("http://{}/say?x=1&text={}", server.address(), encode(text.as_bytes()));
    assert_eq!(get(&url).expect("an answer"), (200, format!("/say {text}")));
}

#[test]
fn a_form_body_joins_the_query() {
    let body = "text=a+b&utf16=%4E%CA";
    let raw = format!(
        "POST /p?q=1 HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let request = read_request(&mut raw.as_bytes()).expect("readable").expect("a request");
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/p"));
    assert_eq!((request.text("q"), request.text("text")), ("1".into(), "a b".into()));
    assert_eq!(request.bytes("utf16"), Some([0x4e, 0xca].as_slice()));
}

#[test]
fn a_server_can_cut_refuse_and_return() {
    let server = serve(|_| Response { cut: true, ..Response::text(200, "") });
    let url = format!("http://{}/", server.address());
    assert!(get(&url).is_err(), "cut before the answer");
    server.refuse();
    let refused = get(&url).expect_err("nobody listens");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    server.accept();
    assert_ne!(get(&url).expect_err("cut again").kind(), io::ErrorKind::ConnectionRefused);
}
