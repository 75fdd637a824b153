//! A password from whoever runs a command: typed without an echo, read from a pipe, or made up.

use std::io::{self, BufRead, IsTerminal, Read};

use rand::Rng;

/// Most bytes that are read from a pipe.
const BYTES_MAX: u64 = 4_096;
/// Characters of a password that is made up: 100 bits.
const MADE_UP_CHARS: usize = 20;
/// Without those that look alike.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789w";

/// Reads a password: asked for twice where somebody sits at a terminal, else the first line of standard input.
///
/// # Errors
/// A sentence.
pub fn read(of: &str) -> Result<String, String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return first_line(stdin.lock()).map_err(|error| format!("the password cannot be read: {error}"));
    }
    let ask = |what: &str| {
        rpassword::prompt_password(what).map_err(|error| format!("the password cannot be read: {error}"))
    };
    let password = ask(&format!("Password of {of}: "))?;
    if password != ask("Once more: ")? {
        return Err("the two are not the same: nothing was changed".to_owned());
    }
    Ok(password)
}

/// Makes one up.
#[must_use]
pub fn made_up() -> String {
    let mut random = rand::rngs::ThreadRng::default();
    (0..MADE_UP_CHARS).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect()
}

fn first_line(from: impl Read) -> io::Result<String> {
    let mut line = String::new();
    io::BufReader::new(from.take(BYTES_MAX)).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_without_its_end() {
        assert_eq!(first_line(&b"a pass phrase \r\nand more"[..]).expect("read"), "a pass phrase ");
        assert_eq!(first_line(&b""[..]).expect("read"), "");
    }

    #[test]
    fn made_up_ones_differ_and_are_long_enough() {
        let (one, other) = (made_up(), made_up());
        assert!(one != other && one.len() >= crate::app::account::PASSWORD_CHARS_MIN);
    }
}
