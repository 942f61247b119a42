//! Idle connections, one slot each. A slot that another thread is at is passed over, so that nobody ever waits
//! here.

use std::sync::{Mutex, TryLockError};

use crate::transport::connection::Connection;

/// As many threads as may call at once and each keep a connection.
const SLOTS: usize = 16;

#[derive(Default)]
pub(crate) struct Pool {
    slots: [Mutex<Option<Connection>>; SLOTS],
}

impl Pool {
    /// A connection that may carry another request. Those that may not any longer are closed on the way.
    pub(crate) fn take(&self) -> Option<Connection> {
        for slot in &self.slots {
            let Some(mut connection) = with(slot, Option::take).flatten() else { continue };
            if connection.is_reusable() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for later, if it may be used again and there is room; closes it otherwise.
    pub(crate) fn put(&self, connection: Connection) {
        let mut resting = connection.rested();
        for slot in &self.slots {
            if resting.is_none() {
                return;
            }
            with(slot, |slot| {
                if slot.is_none() {
                    *slot = resting.take();
                }
            });
        }
    }
}

/// What `body` makes of a slot; `None` if another thread is at it.
fn with<T>(slot: &Mutex<Option<Connection>>, body: impl FnOnce(&mut Option<Connection>) -> T) -> Option<T> {
    match slot.try_lock() {
        Ok(mut slot) => Some(body(&mut slot)),
        Err(TryLockError::Poisoned(poisoned)) => Some(body(&mut poisoned.into_inner())),
        Err(TryLockError::WouldBlock) => None,
    }
}
