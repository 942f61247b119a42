//! Idle connections, the one used last on top. A forked child has a pool of its own, so the lock is never one that
//! nobody will open again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::transport::connection::Connection;

/// As many as may call at once and each keep a connection.
const MAX_IDLE: usize = 16;

#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    /// A connection that may carry another request. Those that may not any longer are closed on the way.
    pub(crate) fn take(&self) -> Option<Connection> {
        loop {
            // Looked at only when the lock is open again: that is a system call.
            let mut connection = self.idle().pop()?;
            if connection.is_reusable() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for later, if it may be used again; closes it otherwise.
    pub(crate) fn put(&self, connection: Connection) {
        let Some(connection) = connection.rested() else { return };
        let mut idle = self.idle();
        // The one that has lain longest makes room, and makes room in any case when its time is up.
        let leaving = idle.first().is_some_and(|oldest| idle.len() == MAX_IDLE || oldest.is_overdue());
        let leaving = leaving.then(|| idle.remove(0));
        idle.push(connection);
        drop(idle);
        drop(leaving);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
