//! Clients that ask for pages over connections that they keep, and how long each answer took.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::BenchError;

/// Connections at once.
pub const CONNECTIONS: usize = 8;

/// What answers took, in milliseconds, and how large the largest was.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    millis: Vec<f64>,
    /// Bytes of the largest body.
    pub bytes: usize,
}

impl Seen {
    /// The answer time that this share of the requests did not pass.
    pub fn quantile(&self, share: f64) -> f64 {
        // A share of a count: below the count, and never negative.
        let at = (self.millis.len().saturating_sub(1) as f64 * share).round() as usize;
        self.millis.get(at).copied().unwrap_or(f64::INFINITY)
    }

    /// Requests answered.
    pub fn count(&self) -> usize {
        self.millis.len()
    }
}

/// Asks for the paths in turn over eight connections for as long as given.
///
/// # Errors
/// [`BenchError`] when a page is refused or a connection breaks.
pub async fn browse(
    address: SocketAddr,
    paths: &[String],
    cookie: &str,
    length: Duration,
) -> Result<Seen, BenchError> {
    let requests: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| {
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\r\n").into_bytes()
        })
        .collect();
    let requests = Arc::new(requests);
    let end = Instant::now() + length;
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|first| {
            let requests = requests.clone();
            thread::spawn(move || client(address, &requests, first, end))
        })
        .collect();
    tokio::task::spawn_blocking(move || {
        let mut seen = Seen::default();
        for thread in threads {
            let part = thread.join().map_err(|_| BenchError("a client ended badly".into()))?;
            let part = part.map_err(BenchError::of)?;
            seen.millis.extend(part.millis);
            seen.bytes = seen.bytes.max(part.bytes);
        }
        seen.millis.sort_by(f64::total_cmp);
        Ok(seen)
    })
    .await
    .map_err(BenchError::of)?
}

fn client(address: SocketAddr, requests: &[Vec<u8>], first: usize, end: Instant) -> io::Result<Seen> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream.try_clone()?);
    let mut seen = Seen::default();
    let (mut line, mut body) = (String::new(), Vec::new());
    for request in requests.iter().cycle().skip(first) {
        let begin = Instant::now();
        if begin >= end {
            break;
        }
        stream.write_all(request)?;
        let length = head(&mut reader, &mut line)?;
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
        seen.millis.push(begin.elapsed().as_secs_f64() * 1_000.0);
        seen.bytes = seen.bytes.max(length);
    }
    Ok(seen)
}

/// Reads the head of an answer and gives the length of its body.
fn head(reader: &mut impl BufRead, line: &mut String) -> io::Result<usize> {
    line.clear();
    reader.read_line(line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(io::Error::other(format!("unexpected answer: {}", line.trim_end())));
    }
    let mut length = None;
    while line != "\r\n" {
        line.clear();
        if reader.read_line(line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
    length.ok_or_else(|| io::Error::other("an answer without a length"))
}
