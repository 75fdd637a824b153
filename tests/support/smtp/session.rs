//! One connection of the scripted SMTP server.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use rustls::{ServerConnection, StreamOwned};
use serde_json::json;

use super::{Shared, SmtpFault, TakenMail};

const MAX_LINE_BYTES: u64 = 64 * 1024;

/// What becomes of the connection after a command.
enum Next {
    Continue,
    Encrypt,
    Close,
}

enum Wire {
    Plain(BufReader<TcpStream>),
    Encrypted(Box<BufReader<StreamOwned<ServerConnection, TcpStream>>>),
}

impl Wire {
    fn reader(&mut self) -> &mut dyn BufRead {
        match self {
            Wire::Plain(wire) => wire,
            Wire::Encrypted(wire) => wire,
        }
    }

    fn say(&mut self, code: u16, text: &str) -> io::Result<()> {
        let writer: &mut dyn Write = match self {
            Wire::Plain(wire) => wire.get_mut(),
            Wire::Encrypted(wire) => wire.get_mut(),
        };
        let mut lines = text.split('\n').peekable();
        let mut reply = String::new();
        while let Some(line) = lines.next() {
            reply += &format!("{code}{}{line}\r\n", if lines.peek().is_some() { '-' } else { ' ' });
        }
        writer.write_all(reply.as_bytes())?;
        writer.flush()
    }

    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.reader().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
        Ok((read > 0).then_some(line))
    }
}

struct Session<'a> {
    shared: &'a Shared,
    wire: Wire,
    number: u64,
    from: String,
    to: Vec<String>,
    fault: Option<SmtpFault>,
}

/// Talks with one client until it leaves, and logs how the connection began and ended.
pub fn serve(shared: &Arc<Shared>, stream: TcpStream, number: u64) {
    shared.log.write("connected", json!({ "connection": number }));
    let wire = Wire::Plain(BufReader::new(stream));
    let session = Session { shared, wire, number, from: String::new(), to: Vec::new(), fault: None };
    let end = match session.talk() {
        Ok(()) => "closed".to_owned(),
        Err(error) => error.to_string(),
    };
    shared.log.write("disconnected", json!({ "connection": number, "end": end }));
}

impl Session<'_> {
    fn talk(mut self) -> io::Result<()> {
        if let Some(code) = self.shared.greeting_fault() {
            self.log_refusal("greeting", code);
            return self.wire.say(code, "localhost closes the connection");
        }
        self.wire.say(220, "localhost ESMTP")?;
        while let Some(line) = self.wire.line()? {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            match self.obey(&line)? {
                Next::Continue => {}
                Next::Encrypt => self = self.encrypt()?,
                Next::Close => return Ok(()),
            }
        }
        Ok(())
    }

    fn obey(&mut self, line: &str) -> io::Result<Next> {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "HELO" => self.hello()?,
            "STARTTLS" if self.offers_tls() => {
                self.wire.say(220, "go ahead")?;
                return Ok(Next::Encrypt);
            }
            "MAIL" => {
                self.forget();
                self.from = address(line);
                self.wire.say(250, "ok")?;
            }
            "RCPT" => self.recipient(address(line))?,
            "DATA" if self.to.is_empty() => self.wire.say(503, "no recipient")?,
            "DATA" => return self.data(),
            "RSET" => {
                self.forget();
                self.wire.say(250, "ok")?;
            }
            "NOOP" => self.wire.say(250, "ok")?,
            "QUIT" => {
                self.shared.log.write("quit", json!({ "connection": self.number }));
                self.wire.say(221, "bye")?;
                return Ok(Next::Close);
            }
            _ => self.wire.say(502, "not known here")?,
        }
        Ok(Next::Continue)
    }

    fn hello(&mut self) -> io::Result<()> {
        let tls = if self.offers_tls() { "\nSTARTTLS" } else { "" };
        self.wire.say(250, &format!("localhost\n8BITMIME\nSMTPUTF8\nPIPELINING{tls}"))
    }

    fn offers_tls(&self) -> bool {
        self.shared.tls.is_some() && matches!(self.wire, Wire::Plain(_))
    }

    fn encrypt(mut self) -> io::Result<Self> {
        if let (Wire::Plain(wire), Some(config)) = (self.wire, &self.shared.tls) {
            let connection = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
            let stream = StreamOwned::new(connection, wire.into_inner());
            self.wire = Wire::Encrypted(Box::new(BufReader::new(stream)));
            Ok(self)
        } else {
            Err(io::Error::other("STARTTLS twice"))
        }
    }

    fn recipient(&mut self, to: String) -> io::Result<()> {
        if self.to.is_empty() && self.fault.is_none() {
            self.fault = self.shared.message_fault(&to);
        }
        if let Some(SmtpFault::Recipient(code)) = self.fault {
            self.fault = None;
            self.to.clear();
            self.shared.log.write("refused", json!({ "at_step": "rcpt", "code": code, "to": [to] }));
            return self.wire.say(code, "no such luck");
        }
        self.to.push(to);
        self.wire.say(250, "ok")
    }

    fn data(&mut self) -> io::Result<Next> {
        self.wire.say(354, "end with a dot")?;
        if self.fault == Some(SmtpFault::CutInData) {
            self.log_refusal("data", 0);
            return Ok(Next::Close);
        }
        let Some(data) = self.read_data()? else { return Ok(Next::Close) };
        match self.fault.take() {
            Some(SmtpFault::AfterData(code)) => {
                self.log_refusal("dot", code);
                self.wire.say(code, "not taken")?;
            }
            Some(SmtpFault::StallAfterData(stall)) => {
                self.take(data);
                thread::sleep(stall);
                self.wire.say(250, "taken")?;
            }
            Some(SmtpFault::CutAfterDot) => {
                self.take(data);
                return Ok(Next::Close);
            }
            None | Some(SmtpFault::Greeting(_) | SmtpFault::Recipient(_) | SmtpFault::CutInData) => {
                self.take(data);
                self.wire.say(250, "taken")?;
            }
        }
        self.forget();
        Ok(Next::Continue)
    }

    fn read_data(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut data = Vec::new();
        while let Some(line) = self.wire.line()? {
            if line == b".\r\n" {
                return Ok(Some(data));
            }
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        Ok(None)
    }

    fn take(&self, data: Vec<u8>) {
        let mail = TakenMail {
            connection: self.number,
            encrypted: matches!(self.wire, Wire::Encrypted(_)),
            from: self.from.clone(),
            to: self.to.clone(),
            data,
        };
        let fields = json!({
            "connection": mail.connection, "from": mail.from, "to": mail.to,
            "message_id": mail.header("Message-ID"), "data": String::from_utf8_lossy(&mail.data),
        });
        self.shared.log.write("accepted", fields);
        self.shared.taken.lock().expect("not poisoned").push(mail);
    }

    fn log_refusal(&self, step: &str, code: u16) {
        self.shared.log.write("refused", json!({ "at_step": step, "code": code, "to": self.to }));
    }

    fn forget(&mut self) {
        self.from.clear();
        self.to.clear();
        self.fault = None;
    }
}

fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(address, _)| address.to_owned())
}
