//! The signal to stop: workers finish what is in flight and begin nothing new.

use tokio::sync::watch;

/// Seen by every worker. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Gives the signal; also given when it is dropped.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stop {
    /// A signal that was not given yet.
    #[must_use]
    pub fn pair() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Self(receiver))
    }

    /// Whether it was given.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits for it.
    pub async fn wait(&mut self) {
        // An error means that the stopper is gone, which is the same.
        let _ = self.0.wait_for(|set| *set).await;
    }
}

impl Stopper {
    /// Tells every worker to stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
