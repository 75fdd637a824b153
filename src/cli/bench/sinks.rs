//! Where the bench sends to: postfix's `smtp-sink` when it is there, else servers of our own that take everything.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::BenchError;

/// A server that takes everything. It is gone with this value, or with the process.
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it is.
    pub name: &'static str,
    process: Option<Child>,
}

impl Sink {
    /// `smtp-sink` at `path`, or where it is usually found; else one of our own.
    ///
    /// # Errors
    /// [`BenchError`].
    pub fn smtp(path: Option<&Path>) -> Result<Self, BenchError> {
        match path.map(Path::to_path_buf).or_else(|| program("smtp-sink")) {
            Some(program) => Self::postfix(&program),
            None => {
                eprintln!(
                    "smtp-sink is not installed: a sink of our own is used (--smtp-sink names another)"
                );
                Self::own("own SMTP sink", |stream| drop(take_mails(stream)))
            }
        }
    }

    /// A gateway that takes every text.
    ///
    /// # Errors
    /// [`BenchError`].
    pub fn gateway() -> Result<Self, BenchError> {
        Self::own("own HTTP sink", |stream| drop(take_texts(stream)))
    }

    fn postfix(program: &Path) -> Result<Self, BenchError> {
        let address = free_address()?;
        let mut command = Command::new(program);
        if runs_as_root() {
            command.args(["-u", "nobody"]);
        }
        let process = command.args([&address.to_string(), "200"]).stdin(Stdio::null()).spawn();
        let process = process.map_err(|error| BenchError(format!("{}: {error}", program.display())))?;
        let sink = Self { address, name: "smtp-sink", process: Some(process) };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begin.elapsed() > Duration::from_secs(5) {
                return Err(BenchError(format!("{} does not listen", program.display())));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(sink)
    }

    fn own(name: &'static str, serve: fn(TcpStream)) -> Result<Self, BenchError> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(BenchError::of)?;
        let address = listener.local_addr().map_err(BenchError::of)?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || serve(stream));
            }
        });
        Ok(Self { address, name, process: None })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may be gone already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A program on the path or where postfix puts it.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/libexec/postfix")]);
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn runs_as_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn free_address() -> Result<SocketAddr, BenchError> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(BenchError::of)?;
    listener.local_addr().map_err(BenchError::of)
}

fn take_mails(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    writer.write_all(b"220 sink\r\n")?;
    let (mut line, mut in_content) = (Vec::new(), false);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let reply: &[u8] = match (in_content, line.get(..4)) {
            (true, _) if line == b".\r\n" => {
                in_content = false;
                b"250 taken\r\n"
            }
            (true, _) => continue,
            (false, Some(b"EHLO")) => b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            (false, Some(b"DATA")) => {
                in_content = true;
                b"354 go on\r\n"
            }
            (false, _) => b"250 ok\r\n",
        };
        writer.write_all(reply)?;
    }
}

fn take_texts(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line == b"\r\n" {
            writer.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n0: Accepted for")?;
        }
    }
}
