//! A listener that can be taken away and brought back on the same port, with a thread for each connection.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::process::free_port;

type Handler = dyn Fn(TcpStream, u64) + Send + Sync;

/// A TCP server on `127.0.0.1`. Dropping it closes the port and cuts what is connected.
pub struct Listening {
    address: SocketAddr,
    handler: Arc<Handler>,
    connections: Arc<AtomicU64>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Mutex<Option<(Arc<AtomicBool>, JoinHandle<()>)>>,
}

impl Listening {
    /// Listens on a free port and calls `handler` with each connection and its number, from 1.
    pub fn start(handler: impl Fn(TcpStream, u64) + Send + Sync + 'static) -> Listening {
        let server = Listening {
            address: SocketAddr::from(([127, 0, 0, 1], free_port())),
            handler: Arc::new(handler),
            connections: Arc::default(),
            open: Arc::default(),
            accepting: Mutex::new(None),
        };
        server.accept();
        server
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Refuses new connections and cuts the open ones, until `accept`.
    pub fn refuse(&self) {
        let Some((stop, thread)) = self.accepting.lock().expect("not poisoned").take() else { return };
        stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the accepting thread, which then lets go of the port
        let _ = thread.join();
        for connection in self.open.lock().expect("not poisoned").drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Takes connections again, on the same port.
    pub fn accept(&self) {
        let mut accepting = self.accepting.lock().expect("not poisoned");
        if accepting.is_some() {
            return;
        }
        let listener = TcpListener::bind(self.address)
            .unwrap_or_else(|e| panic!("port {} cannot be bound: {e}", self.address.port()));
        let stop = Arc::new(AtomicBool::new(false));
        let (handler, connections, open) =
            (self.handler.clone(), self.connections.clone(), self.open.clone());
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream.and_then(|stream| remember(&open, stream)) else { continue };
                let number = connections.fetch_add(1, Ordering::SeqCst) + 1;
                let handler = handler.clone();
                thread::spawn(move || serve(&*handler, stream, number));
            }
        });
        *accepting = Some((stop, thread));
    }
}

/// `open` holds another handle of the same connection, so the end of the handler alone would not close it.
fn serve(handler: &Handler, stream: TcpStream, number: u64) {
    let closer = stream.try_clone();
    handler(stream, number);
    if let Ok(closer) = closer {
        let _ = closer.shutdown(Shutdown::Both);
    }
}

fn remember(open: &Mutex<Vec<TcpStream>>, stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    let mut open = open.lock().expect("not poisoned");
    open.retain(|connection| connection.peer_addr().is_ok());
    open.push(stream.try_clone()?);
    Ok(stream)
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.refuse();
    }
}
