//! Clients with nothing around them: what the carrier and this machine can do.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};

use tend_engine::model::Channel;

use super::BenchError;

/// Connections of the bare clients.
pub const CONNECTIONS: usize = 8;

/// Clients that each keep one connection.
pub struct BareClients {
    jobs: Sender<usize>,
    done: Receiver<io::Result<usize>>,
    threads: Vec<JoinHandle<()>>,
}

impl BareClients {
    /// Connects them. They send `content` for each job: a mail, or the target of a request.
    ///
    /// # Errors
    /// [`BenchError`].
    pub fn connect(channel_: Channel, address: SocketAddr, content: &str) -> Result<Self, BenchError> {
        let (jobs, waiting) = channel::<usize>();
        let waiting = Arc::new(Mutex::new(waiting));
        let (ended, done) = channel();
        let mut threads = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut client = Client::connect(channel_, address, content).map_err(BenchError::of)?;
            let (waiting, ended) = (waiting.clone(), ended.clone());
            threads.push(thread::spawn(move || {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = next else { return };
                    if ended.send(client.send().map(|()| job)).is_err() {
                        return;
                    }
                }
            }));
        }
        Ok(Self { jobs, done, threads })
    }

    /// Sends one message for a job, some time.
    ///
    /// # Errors
    /// [`BenchError`] when every client is gone.
    pub fn send(&self, job: usize) -> Result<(), BenchError> {
        self.jobs.send(job).map_err(BenchError::of)
    }

    /// Waits for the next one that was taken.
    ///
    /// # Errors
    /// [`BenchError`] when it was not.
    pub fn taken(&self) -> Result<usize, BenchError> {
        self.done.recv().map_err(BenchError::of)?.map_err(BenchError::of)
    }

    /// Closes the connections.
    pub fn close(self) {
        drop(self.jobs);
        for thread in self.threads {
            // A client that failed has said so.
            let _ = thread.join();
        }
    }
}

struct Client {
    channel: Channel,
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    content: Vec<u8>,
    line: Vec<u8>,
}

impl Client {
    fn connect(channel: Channel, address: SocketAddr, content: &str) -> io::Result<Self> {
        let writer = TcpStream::connect(address)?;
        writer.set_nodelay(true)?;
        let reader = BufReader::new(writer.try_clone()?);
        let content = match channel {
            Channel::Email => format!("{content}\r\n.\r\n"),
            Channel::Sms => format!("GET {content} HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\n\r\n"),
        };
        let mut client = Self { channel, reader, writer, content: content.into_bytes(), line: Vec::new() };
        if channel == Channel::Email {
            client.reply("220")?;
            client.writer.write_all(b"EHLO bench\r\n")?;
            client.reply("250")?;
        }
        Ok(client)
    }

    fn send(&mut self) -> io::Result<()> {
        match self.channel {
            Channel::Email => self.mail(),
            Channel::Sms => self.text(),
        }
    }

    fn mail(&mut self) -> io::Result<()> {
        self.writer
            .write_all(b"MAIL FROM:<care@hospital.example>\r\nRCPT TO:<p@patients.example>\r\nDATA\r\n")?;
        for code in ["250", "250", "354"] {
            self.reply(code)?;
        }
        self.writer.write_all(&self.content)?;
        self.reply("250")
    }

    fn text(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.content)?;
        let mut length = 0;
        self.read_line()?;
        if !self.line.starts_with(b"HTTP/1.1 202") {
            return Err(self.unexpected());
        }
        while self.line != b"\r\n" {
            self.read_line()?;
            let text = String::from_utf8_lossy(&self.line).to_ascii_lowercase();
            if let Some(value) = text.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        io::Read::read_exact(&mut self.reader, &mut body)
    }

    fn reply(&mut self, code: &str) -> io::Result<()> {
        loop {
            self.read_line()?;
            if !self.line.starts_with(code.as_bytes()) {
                return Err(self.unexpected());
            }
            if self.line.get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }

    fn read_line(&mut self) -> io::Result<()> {
        self.line.clear();
        self.reader.read_until(b'\n', &mut self.line).map(|_| ())
    }

    fn unexpected(&self) -> io::Error {
        io::Error::other(format!("unexpected answer: {}", String::from_utf8_lossy(&self.line).trim_end()))
    }
}
